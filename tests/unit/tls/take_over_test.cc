// Connections that leave OpenSSL: after every kind of handshake both sides agree on keys and record
// numbers, or OpenSSL goes on.

#include "tls/take_over.h"

#include "tests/unit/tls/record_rig.h"

namespace fairlead::tls::rig {

namespace {

std::shared_ptr<const ServerContext> compact_context() {
  return context(Version::tls12, true);
}

// Both directions, each twice: numbers and keys agree.
void talk(RawClient& down, Side& up) {
  for (int round = 0; round < 2; ++round) {
    const std::size_t before = up.plain.size();
    up.feed(down.write("from the client"));
    REQUIRE(up.plain.substr(before) == "from the client");
    const std::string told = down.plain();
    down.feed(up.write("from the server"));
    REQUIRE(down.plain() == told + "from the server");
  }
}

}  // namespace

TEST_CASE("take-over: after a full handshake and after a resumed one", "[tls][compact]") {
  const auto of = compact_context();
  const int tickets = GENERATE(0, 1, 2, 5);
  const Suite suite = GENERATE(from_range(kAllSuites));
  CAPTURE(tickets, suite_name(suite));
  REQUIRE(SSL_CTX_set_num_tickets(of->get(), static_cast<std::size_t>(tickets)) == 1);
  Side first = server(*of);
  RawClient once({.name = "chat.example.com"});
  REQUIRE(SSL_set_ciphersuites(once.ssl(), suite_name(suite)) == 1);
  shake(once, first);
  REQUIRE(first.engine->compact());
  REQUIRE(first.engine->version() == "TLSv1.3");
  REQUIRE(first.engine->sni() == "chat.example.com");
  REQUIRE_FALSE(first.engine->resumed());
  talk(once, first);
  REQUIRE((once.session() != nullptr) == (tickets > 0));
  if (tickets == 0) return;

  Side second = server(*of);
  RawClient again({.session = once.session()});
  REQUIRE(SSL_set_ciphersuites(again.ssl(), suite_name(suite)) == 1);
  shake(again, second);
  REQUIRE(second.engine->compact());
  REQUIRE(second.engine->resumed());
  REQUIRE(second.engine->sni() == "localhost");
  talk(again, second);
}

TEST_CASE("take-over: after a HelloRetryRequest", "[tls][compact]") {
  const auto of = compact_context();
  Side up = server(*of);
  RawClient down({});
  REQUIRE(SSL_set1_groups_list(down.ssl(), "P-521:X25519") == 1);
  int turns = 0;
  for (std::string flight = down.feed({}); !flight.empty(); ++turns) {
    flight = down.feed(up.feed(flight));
  }
  REQUIRE(turns == 3);  // one more than without
  REQUIRE(up.engine->compact());
  talk(down, up);
}

TEST_CASE("take-over: of a client's engine", "[tls][compact]") {
  const auto of = context();
  const int tickets = GENERATE(0, 1, 2, 10);
  const Suite suite = GENERATE(from_range(kAllSuites));
  REQUIRE(SSL_CTX_set_num_tickets(of->get(), static_cast<std::size_t>(tickets)) == 1);
  REQUIRE(SSL_CTX_set_ciphersuites(of->get(), suite_name(suite)) == 1);
  RawServer up(*of);
  Side down = client("localhost", true);
  std::string flight = down.feed({});
  flight = down.feed(up.feed(flight));
  REQUIRE(down.ready);
  REQUIRE(down.engine->compact());
  REQUIRE(down.feed(up.feed(flight)).empty());  // tickets
  REQUIRE(down.last == Status::want_input);
  for (int round = 1; round <= 2; ++round) {
    down.feed(up.write("down"));
    up.feed(down.write("up"));
  }
  REQUIRE(down.plain == "downdown");
  REQUIRE(up.plain() == "upup");
}

TEST_CASE("take-over: a client's Finished in two parts, with and without data behind it",
          "[tls][compact][split]") {
  const auto of = compact_context();
  const bool with_data = GENERATE(false, true);
  for (std::size_t cut = 1;; ++cut) {
    Side up = server(*of);
    RawClient down({});
    std::string flight = down.feed(up.feed(down.feed({})));
    if (with_data) flight += joined({down.write("at once"), down.write(" and more")});
    if (cut >= flight.size()) break;
    CAPTURE(cut);
    std::string answer = up.feed(std::string_view(flight).substr(0, cut));
    answer += up.feed(std::string_view(flight).substr(cut));
    REQUIRE(up.engine->compact());
    REQUIRE(up.plain == (with_data ? "at once and more" : ""));
    down.feed(answer);
    talk(down, up);
  }
}

TEST_CASE("take-over: everything byte by byte", "[tls][compact][split]") {
  const auto of = compact_context();
  Side up = server(*of);
  Side down = client("localhost", true);
  std::string flight = down.feed({});
  for (int turn = 0; turn < 6 && !flight.empty(); ++turn) {
    std::string answer;
    for (const char byte : flight) answer += up.feed({&byte, 1});
    flight.clear();
    for (const char byte : answer) flight += down.feed({&byte, 1});
  }
  REQUIRE(up.engine->compact());
  REQUIRE(down.engine->compact());
  up.feed(down.write("up"));
  down.feed(up.write("down"));
  REQUIRE(up.plain == "up");
  REQUIRE(down.plain == "down");
}

TEST_CASE("take-over: a negotiated max_fragment_length holds (RFC 6066 4)", "[tls][compact]") {
  const auto of = compact_context();
  const auto code = static_cast<std::uint8_t>(GENERATE(0, 1, 2, 3, 4));
  const std::size_t most = code == 0 ? RecordLayer::kMaxPlain : std::size_t{256} << code;
  CAPTURE(most);
  RawClient first({});
  Side up = server(*of);
  REQUIRE(SSL_set_tlsext_max_fragment_length(first.ssl(), code) == 1);
  shake(first, up);
  REQUIRE(up.engine->compact());
  const auto check = [most](RawClient& down, Side& from) {
    const std::string text = pattern(40'000);
    const std::string sent = from.write(text);
    std::size_t largest = 0;
    for (std::string_view rest = sent; !rest.empty();) {
      const std::size_t size = std::size_t{5} + static_cast<unsigned char>(rest[3]) * 256U +
                               static_cast<unsigned char>(rest[4]);
      largest = std::max(largest, size);
      rest.remove_prefix(size);
    }
    REQUIRE(largest == most + 5 + 1 + 16);
    down.feed(sent);
    REQUIRE(down.plain() == text);
    from.feed(down.write(text));
    REQUIRE(from.plain == text);
  };
  check(first, up);
  Side again = server(*of);
  RawClient second({.session = first.session()});
  REQUIRE(SSL_set_tlsext_max_fragment_length(second.ssl(), code) == 1);
  shake(second, again);
  REQUIRE(again.engine->compact());
  REQUIRE(again.engine->resumed());
  check(second, again);
}

TEST_CASE("take-over: TLS 1.2 and other contexts stay with OpenSSL", "[tls][compact]") {
  const bool compact = GENERATE(false, true);
  const auto of = context(Version::tls12, compact);
  Side up = server(*of);
  RawClient down({.version = compact ? TLS1_2_VERSION : TLS1_3_VERSION});
  shake(down, up);
  REQUIRE(up.ready);
  REQUIRE_FALSE(up.engine->compact());
  talk(down, up);
}

TEST_CASE("take-over: a suite that is not ours stays with OpenSSL", "[tls][compact]") {
  const auto of = compact_context();
  REQUIRE(SSL_CTX_set_ciphersuites(of->get(), "TLS_AES_128_CCM_SHA256") == 1);
  Side up = server(*of);
  RawClient down({});
  REQUIRE(SSL_set_ciphersuites(down.ssl(), "TLS_AES_128_CCM_SHA256") == 1);
  shake(down, up);
  REQUIRE(up.ready);
  REQUIRE_FALSE(up.engine->compact());
  talk(down, up);
}

TEST_CASE("take-over: a failed handshake is OpenSSL's to tell", "[tls][compact]") {
  const auto of = compact_context();
  Side up = server(*of);
  RawClient down({});
  std::string finished = down.feed(up.feed(down.feed({})));
  finished.back() = static_cast<char>(finished.back() ^ 1);
  REQUIRE_FALSE(up.feed(finished).empty());
  REQUIRE(up.last == Status::error);
  REQUIRE_FALSE(up.engine->compact());
  REQUIRE(up.engine->last_error() == "decryption failed or bad record mac");
}

TEST_CASE("take-over: many connections of one context, interleaved", "[tls][compact]") {
  const auto of = compact_context();
  std::vector<std::unique_ptr<RawClient>> clients;
  std::vector<Side> sides;
  for (int i = 0; i < 200; ++i) {  // more than a thread's cache holds
    clients.push_back(std::make_unique<RawClient>(RawClient::Options{}));
    sides.push_back(server(*of));
    shake(*clients.back(), sides.back());
    REQUIRE(sides.back().engine->compact());
  }
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < sides.size(); ++i) {
      if (round == 1 && i % 3 == 0) continue;
      talk(*clients[i], sides[i]);
    }
    if (round == 1) {  // some go, others come
      for (std::size_t i = 0; i < sides.size(); i += 2) {
        clients[i] = std::make_unique<RawClient>(RawClient::Options{});
        sides[i] = server(*of);
        shake(*clients[i], sides[i]);
      }
    }
  }
}

}  // namespace fairlead::tls::rig
