// Engine after the handshake: data, small buffers, endings, messages between.

#include "tls/engine.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "tests/unit/tls/record_rig.h"

namespace fairlead::tls::rig {

namespace {

// Of every kind: each side with OpenSSL's record layer and with our own.
struct Pair {
  const bool compact_up = GENERATE(false, true);
  const bool compact_down = GENERATE(false, true);
  std::shared_ptr<const ServerContext> of = context(Version::tls12, compact_up);
  Side up = server(*of);
  Side down = client("localhost", compact_down);

  Pair() {
    shake(down, up);
    REQUIRE(up.ready);
    REQUIRE(down.ready);
  }
};

std::size_t records(std::string_view ciphertext) {
  std::size_t count = 0;
  while (ciphertext.size() >= 5) {
    const auto high = static_cast<unsigned char>(ciphertext[3]);
    const auto low = static_cast<unsigned char>(ciphertext[4]);
    const std::size_t size = std::size_t{5} + high * 256U + low;
    REQUIRE(size <= ciphertext.size());
    ciphertext.remove_prefix(size);
    ++count;
  }
  REQUIRE(ciphertext.empty());
  return count;
}

}  // namespace

TEST_CASE("engine: 200 KiB pass each way, their records gathered", "[tls][data]") {
  Pair pair;
  const std::string text = pattern(200 * 1024);
  std::string flight = pair.down.write(text);
  REQUIRE(records(flight) == 13);  // 12.5 of 16 KiB
  REQUIRE(pair.up.feed(flight).empty());
  REQUIRE(pair.up.plain == text);
  flight = pair.up.write(text);
  REQUIRE(pair.down.feed(flight).empty());
  REQUIRE(pair.down.plain == text);
  REQUIRE_FALSE(pair.up.engine->has_pending());
}

TEST_CASE("engine: 200 KiB pass each way with TLS 1.2", "[tls][data]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  Side up = server(*of);
  RawClient down({.version = TLS1_2_VERSION});
  shake(down, up);
  REQUIRE(up.ready);
  const std::string text = pattern(200 * 1024);
  up.feed(down.write(text));
  REQUIRE(up.plain == text);
  down.feed(up.write(text));
  REQUIRE(down.plain() == text);
}

TEST_CASE("engine: data is the same however it is cut", "[tls][data][split]") {
  Pair pair;
  const std::string text = pattern(300);
  std::string all;
  for (std::size_t cut = 0; cut <= 360; ++cut) {
    const std::string flight = pair.down.write_all({text, "tail"});
    const std::size_t at = std::min(cut, flight.size());
    pair.up.feed(std::string_view(flight).substr(0, at));
    REQUIRE(pair.up.in.empty());
    pair.up.feed(std::string_view(flight).substr(at));
    all += text + "tail";
    REQUIRE(pair.up.plain == all);
  }
  pair.up.plain.clear();
  const std::string flight = pair.down.write(text);
  for (const char byte : flight) {
    REQUIRE(pair.up.plain.empty());
    pair.up.feed({&byte, 1});
  }
  REQUIRE(pair.up.plain == text);
}

TEST_CASE("engine: status and count of a read say what happened", "[tls][data]") {
  Pair pair;
  std::string flight = pair.down.write("hello");
  std::string out;
  std::vector<char> to(1024);
  std::size_t n = 99;

  std::span<const char> none;
  REQUIRE(pair.up.engine->read(none, to, n, out) == Status::want_input);
  REQUIRE(n == 0);

  std::span<const char> half(flight.data(), 10);
  REQUIRE(pair.up.engine->read(half, to, n, out) == Status::want_input);
  REQUIRE(n == 0);
  REQUIRE(half.empty());

  std::span<const char> rest = std::span<const char>(flight).subspan(10);
  REQUIRE(pair.up.engine->read(rest, to, n, out) == Status::ok);
  REQUIRE(std::string(to.data(), n) == "hello");
  REQUIRE(rest.empty());
  REQUIRE(out.empty());
}

TEST_CASE("engine: a small `to` is filled, and the rest waits", "[tls][data][pending]") {
  for (const std::size_t room : {std::size_t{1}, std::size_t{999}, std::size_t{1000}}) {
    CAPTURE(room);
    Pair pair;
    const std::string text = pattern(1000);
    const std::string flight = pair.down.write_all({text, text});
    std::span<const char> in(flight);
    std::string got;
    std::string out;
    std::vector<char> to(room);
    std::size_t n = 0;
    REQUIRE(pair.up.engine->read(in, to, n, out) == Status::ok);
    REQUIRE(n == room);
    REQUIRE(pair.up.engine->has_pending() == (room < 1000));
    REQUIRE_FALSE(in.empty());  // the second record is still the caller's
    got.assign(to.data(), n);
    while (got.size() < 2 * text.size()) {
      REQUIRE(pair.up.engine->read(in, to, n, out) == Status::ok);
      got.append(to.data(), n);
    }
    REQUIRE(got == text + text);
    REQUIRE(in.empty());
    REQUIRE_FALSE(pair.up.engine->has_pending());
  }
}

TEST_CASE("engine: a `to` as large as the input always uses it up", "[tls][data][pending]") {
  Pair pair;
  const std::string text = pattern(16384);
  // All but the last byte of a full record, then that byte with whole records behind it: more
  // plaintext than input.
  const std::string first = pair.down.write(text);
  const std::string second = pair.down.write_all({"second", "third"});
  pair.up.feed(std::string_view(first).substr(0, first.size() - 1));
  std::string burst = first.substr(first.size() - 1) + second;
  std::span<const char> in(burst);
  std::string out;
  std::vector<char> to(burst.size());
  std::size_t n = 0;
  REQUIRE(pair.up.engine->read(in, to, n, out) == Status::ok);
  REQUIRE(in.empty());
  REQUIRE(n == to.size());
  REQUIRE(pair.up.engine->has_pending());
  std::fill(burst.begin(), burst.end(), 'x');  // the caller's buffer is used again

  // More arrives before the rest was read: the order holds.
  std::string got(to.data(), n);
  const std::string fourth = pair.down.write("fourth");
  in = fourth;
  while (pair.up.engine->has_pending() || !in.empty()) {
    REQUIRE(pair.up.engine->read(in, to, n, out) == Status::ok);
    got.append(to.data(), n);
  }
  REQUIRE(got == text + "secondthirdfourth");
  pair.up.feed(pair.down.write("fifth"));
  REQUIRE(pair.up.plain == "fifth");
}

TEST_CASE("engine: a `to` that is a record larger than the input leaves nothing pending",
          "[tls][data][pending]") {
  Pair pair;
  std::string flight;
  std::string sent;
  for (const std::size_t size : {5000U, 16384U, 1U, 1200U, 5000U, 16384U, 16384U, 300U, 9000U}) {
    sent += pattern(size);
    flight += pair.down.write(pattern(size));
  }
  for (const std::size_t chunk : {1000U, 4096U, 16405U, 16406U, 20000U, 65536U}) {
    CAPTURE(chunk);
    std::string got;
    std::string out;
    std::string_view left(flight);
    while (!left.empty()) {
      std::span<const char> in(left.substr(0, chunk));
      left.remove_prefix(in.size());
      std::vector<char> to(in.size() + Engine::kMaxRecord);
      std::size_t n = 0;
      const Status status = pair.up.engine->read(in, to, n, out);
      REQUIRE((status == Status::ok || status == Status::want_input));
      REQUIRE(in.empty());
      REQUIRE_FALSE(pair.up.engine->has_pending());
      got.append(to.data(), n);
    }
    REQUIRE(got == sent);
    flight.clear();  // the records' numbers go on: each round needs its own
    for (std::size_t at = 0; at < sent.size(); at += 5000) {
      flight += pair.down.write(std::string_view(sent).substr(at, 5000));
    }
  }
}

TEST_CASE("engine: data that comes with the last handshake flight is read", "[tls][data]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    Side up = server(*of);
    RawClient down({.version = version});
    if (version == TLS1_3_VERSION) {
      const std::string finished = down.feed(up.feed(down.feed({})));
      up.feed(finished + down.write("at once"));
    } else {
      shake(down, up);
      up.feed(down.write("at once"));
    }
    REQUIRE(up.ready);
    REQUIRE(up.plain == "at once");
    REQUIRE(up.in.empty());
  }
}

TEST_CASE("engine: a close_notify ends after the data before it", "[tls][ending]") {
  Pair pair;
  std::string flight = pair.down.write("last words");
  pair.down.engine->close_notify(flight);
  const std::size_t once = flight.size();
  pair.down.engine->close_notify(flight);
  REQUIRE(flight.size() == once);
  flight += "bytes behind the end";

  std::vector<char> to(1024);
  std::string out;
  std::size_t n = 0;
  std::span<const char> in(flight);
  REQUIRE(pair.up.engine->read(in, to, n, out) == Status::closed);
  REQUIRE(std::string(to.data(), n) == "last words");
  REQUIRE(in.empty());
  REQUIRE(pair.up.engine->read(in, to, n, out) == Status::closed);
  REQUIRE(n == 0);
  REQUIRE_FALSE(pair.up.engine->has_pending());

  // The other direction is still open (RFC 8446 6.1), until it is closed too.
  std::string answer = pair.up.write("and mine");
  pair.up.engine->close_notify(answer);
  pair.down.feed(answer);
  REQUIRE(pair.down.last == Status::closed);
  REQUIRE(pair.down.plain == "and mine");
  REQUIRE(pair.up.engine->write(std::string_view("x"), out) == Status::error);
}

TEST_CASE("engine: a broken record is an error behind the good ones", "[tls][ending][garbage]") {
  Pair pair;
  const std::string good = pair.down.write("good");
  std::string bad = pair.down.write("bad");
  bad.back() = static_cast<char>(bad.back() ^ 1);
  const std::string flight = good + bad;
  std::vector<char> to(1024);
  std::string out;
  std::size_t n = 0;
  std::span<const char> in(flight);
  REQUIRE(pair.up.engine->read(in, to, n, out) == Status::error);
  REQUIRE(std::string(to.data(), n) == "good");
  REQUIRE(pair.up.engine->last_error() == "decryption failed or bad record mac");
  REQUIRE_FALSE(out.empty());  // bad_record_mac
  REQUIRE_FALSE(pair.up.engine->has_pending());
  // The other side learns of it by the alert.
  pair.down.feed(out);
  REQUIRE(pair.down.last == Status::error);
  REQUIRE(pair.down.engine->last_error().find("bad record mac") != std::string::npos);
}

TEST_CASE("engine: another connection's stale error is not taken for this one's", "[tls][ending]") {
  Pair pair;
  const std::string flight = pair.down.write("fine");
  Side other = server(*pair.of);
  other.feed("GET / HTTP/1.1\r\n\r\n");
  REQUIRE(other.last == Status::error);
  SSL_CTX_use_certificate(nullptr, nullptr);  // leaves an error in the thread's queue
  std::vector<char> to(100);
  std::span<const char> none;
  std::string out;
  std::size_t n = 0;
  REQUIRE(pair.up.engine->read(none, to, n, out) == Status::want_input);
  pair.up.feed(flight);
  REQUIRE(pair.up.plain == "fine");
}

TEST_CASE("engine: a key update is answered on the way", "[tls][messages]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  Side up = server(*of);
  RawClient down({});
  shake(down, up);
  REQUIRE(SSL_key_update(down.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
  up.feed(down.write("after the update"));
  REQUIRE(up.plain == "after the update");
  const std::string answer = up.write("with new keys");
  REQUIRE(records(answer) == 2);  // the server's own update goes first (RFC 8446 4.6.3)
  down.feed(answer);
  REQUIRE(down.plain() == "with new keys");
  up.feed(down.write("!"));
  REQUIRE(up.plain == "after the update!");
  REQUIRE(up.engine->version() == "TLSv1.3");
}

TEST_CASE("engine: a client that wants to renegotiate ends its connection", "[tls][messages]") {
  const auto of = context();
  Side up = server(*of);
  RawClient down({.version = TLS1_2_VERSION});
  shake(down, up);
  up.feed(down.write("before"));
  REQUIRE(SSL_renegotiate(down.ssl()) == 1);
  SSL_do_handshake(down.ssl());
  const std::string alert = up.feed(down.take());
  REQUIRE(up.plain == "before");
  REQUIRE(up.last == Status::error);
  REQUIRE(up.engine->last_error() == "the peer wants to renegotiate");
  REQUIRE(alert.size() > 5);
  REQUIRE(static_cast<int>(alert[0]) == 21);  // a warning, no_renegotiation, and no ServerHello
  REQUIRE(records(alert) == 1);
  std::string out;
  REQUIRE(up.engine->write(std::string_view("too late"), out) == Status::error);
  REQUIRE(up.engine->version() == "TLSv1.2");
}

TEST_CASE("engine: key updates in a row without data are bounded", "[tls][messages][limits]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  const bool together = GENERATE(false, true);
  Side up = server(*of);
  RawClient down({});
  shake(down, up);
  const auto updates = [&](int count) {
    std::string all;
    for (int i = 0; i < count; ++i) {
      REQUIRE(SSL_key_update(down.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
      REQUIRE(SSL_do_handshake(down.ssl()) == 1);
      all += down.take();
      if (together) continue;
      up.feed(std::exchange(all, {}));
    }
    return all;
  };
  for (int round = 0; round < 3; ++round) {
    const std::string all = updates(32);
    up.feed(all + down.write("x"));
    REQUIRE(up.last != Status::error);
    REQUIRE_FALSE(up.engine->has_pending());
  }
  REQUIRE(up.plain == "xxx");
  const std::string answers = up.feed(updates(33) + down.write("y"));
  REQUIRE(up.last == Status::error);
  REQUIRE(up.plain == "xxx");
  REQUIRE(records(answers) <= 34);
}

TEST_CASE("engine: it has begun with the first byte of the peer's", "[tls][handshake]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  Side up = server(*of);
  CHECK_FALSE(up.engine->begun());
  up.feed("\x16");
  CHECK(up.engine->begun());
  Side whole = server(*of);
  RawClient down({});
  shake(down, whole);
  CHECK(whole.engine->begun());
}

TEST_CASE("engine: a moved write buffer and empty writes are fine", "[tls][data]") {
  Pair pair;
  REQUIRE(pair.down.write("").empty());
  std::string flight;
  for (int i = 0; i < 100; ++i) {
    const std::string text(static_cast<std::size_t>(i), 'a');
    std::string out = "kept";
    REQUIRE(pair.down.engine->write(text, out) == Status::ok);
    REQUIRE(out.substr(0, 4) == "kept");
    flight += out.substr(4);
  }
  pair.up.feed(flight);
  REQUIRE(pair.up.plain == std::string(99 * 100 / 2, 'a'));
}

}  // namespace fairlead::tls::rig
