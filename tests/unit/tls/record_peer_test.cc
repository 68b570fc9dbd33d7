// The record layer with OpenSSL's as its peer, in both roles.

#include "tests/unit/tls/record_rig.h"

namespace fairlead::tls::rig {

namespace {

// The layer of OpenSSL's server, taken over as the engine does but with a limit of our own.
struct Served {
  std::shared_ptr<const ServerContext> of = context(Version::tls12, true);
  RawClient down{{}};
  Layer up;

  Served(Suite suite, std::uint32_t update_after) {
    RawServer handshaker(*of);
    REQUIRE(SSL_set_ciphersuites(down.ssl(), suite_name(suite)) == 1);
    std::string flight = down.feed({});
    while (!flight.empty()) {
      BIO_write(SSL_get_rbio(handshaker.ssl()), flight.data(), static_cast<int>(flight.size()));
      SSL_do_handshake(handshaker.ssl());
      flight = down.feed(handshaker.take());
    }
    const RecordLayer::Start* noted = take_over(handshaker.ssl());
    REQUIRE(noted != nullptr);
    REQUIRE(noted->suite == suite);
    RecordLayer::Start start = *noted;
    start.update_after = update_after;
    REQUIRE(up.layer->start(start));
  }
};

}  // namespace

TEST_CASE("record layer and OpenSSL: our key updates at the limit", "[tls][records][peer]") {
  Served pair(GENERATE(from_range(kAllSuites)), 3);
  std::string sent;
  for (int i = 0; i < 20; ++i) {
    const std::string text = pattern(static_cast<std::size_t>(i) * 5000);
    pair.down.feed(pair.up.write(text));
    sent += text;
    REQUIRE(pair.down.plain() == sent);
    pair.up.feed(pair.down.write("and back"));
  }
  REQUIRE(pair.up.plain.size() == 20 * 8);
}

TEST_CASE("record layer and OpenSSL: its key updates, asking or not", "[tls][records][peer]") {
  Served pair(GENERATE(from_range(kAllSuites)), RecordLayer::kUpdateAfter);
  for (int i = 0; i < 10; ++i) {
    const int kind = i % 2 == 0 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;
    REQUIRE(SSL_key_update(pair.down.ssl(), kind) == 1);
    pair.up.feed(pair.down.write("x"));
    if (i % 3 == 0) pair.down.feed(pair.up.write("y"));
  }
  pair.down.feed(pair.up.write("z"));
  REQUIRE(pair.up.plain == "xxxxxxxxxx");
  REQUIRE(pair.down.plain() == "yyyyz");
}

TEST_CASE("record layer and OpenSSL: its padding", "[tls][records][peer]") {
  Served pair(GENERATE(from_range(kAllSuites)), RecordLayer::kUpdateAfter);
  REQUIRE(SSL_set_block_padding(pair.down.ssl(), 512) == 1);
  for (const std::size_t size : {1U, 511U, 512U, 513U, 16000U, 16384U, 40000U}) {
    pair.up.plain.clear();
    const std::string flight = pair.down.write(pattern(size));
    REQUIRE(flight.size() >= 512);
    pair.up.feed(flight);
    REQUIRE(pair.up.plain == pattern(size));
  }
}

TEST_CASE("record layer and OpenSSL: every size, every suite, both roles", "[tls][records][peer]") {
  const Suite suite = GENERATE(from_range(kAllSuites));
  const auto of = context(Version::tls12, GENERATE(false, true));
  REQUIRE(SSL_CTX_set_ciphersuites(of->get(), suite_name(suite)) == 1);
  RawServer raw_up(*of);
  Side down = client("localhost", true);
  down.feed(raw_up.feed(down.feed(raw_up.feed(down.feed({})))));
  Side up = server(*of);
  RawClient raw_down({});
  shake(raw_down, up);
  std::string sent;
  for (const std::size_t size : {1U, 2U, 16383U, 16384U, 16385U, 100000U}) {
    const std::string text = pattern(size);
    sent += text;
    down.feed(raw_up.write(text));
    raw_up.feed(down.write(text));
    up.feed(raw_down.write(text));
    raw_down.feed(up.write(text));
    REQUIRE(down.plain == sent);
    REQUIRE(raw_up.plain() == sent);
    REQUIRE(up.plain == sent);
    REQUIRE(raw_down.plain() == sent);
  }
}

TEST_CASE("record layer and OpenSSL: both ends close", "[tls][records][peer][ending]") {
  const auto of = context(Version::tls12, true);
  Side up = server(*of);
  RawClient down({});
  shake(down, up);
  std::string end = up.write("last words");
  up.engine->close_notify(end);
  down.feed(end);
  REQUIRE(down.plain() == "last words");
  REQUIRE(SSL_get_shutdown(down.ssl()) == SSL_RECEIVED_SHUTDOWN);
  up.feed(down.write("still talking"));
  REQUIRE(up.plain == "still talking");
  REQUIRE(SSL_shutdown(down.ssl()) == 1);
  up.feed(down.take());
  REQUIRE(up.last == Status::closed);
}

TEST_CASE("record layer and OpenSSL: its alert is told in its own words", "[tls][records][peer]") {
  const auto of = context(Version::tls12, true);
  Side up = server(*of);
  RawClient down({});
  shake(down, up);
  std::string bad = up.write("bad");
  bad.back() = static_cast<char>(bad.back() ^ 1);
  up.feed(down.feed(bad));
  REQUIRE(up.last == Status::error);
  REQUIRE(up.engine->last_error() == "sslv3 alert bad record mac");
}

}  // namespace fairlead::tls::rig
