// Engine's handshakes: versions, splits, names, ALPN, resumption.

#include "tests/unit/tls/rig.h"

namespace fairlead::tls::rig {

namespace {

// The flights of one handshake, each fed to its receiver in two parts cut at `cut` (of flight
// number `which`).
bool shakes_with_cut(const ServerContext& of, std::size_t which, std::size_t cut, bool& reached) {
  Side up = server(of);
  Side down = client();
  std::string flight = down.feed({});
  reached = false;
  for (std::size_t number = 0; number < 4 && !flight.empty(); ++number) {
    Side& to = number % 2 == 0 ? up : down;
    std::string answer;
    if (number == which && cut < flight.size()) {
      reached = true;
      answer = to.feed(std::string_view(flight).substr(0, cut));
      answer += to.feed(std::string_view(flight).substr(cut));
    } else {
      answer = to.feed(flight);
    }
    flight = answer;
  }
  return up.ready && down.ready && up.in.empty() && down.in.empty();
}

template <typename Client>
void shake_by_bytes(Client& from, Side& to) {
  std::string flight = from.feed({});
  for (int turn = 0; turn < 6 && !flight.empty(); ++turn) {
    std::string answer;
    for (const char byte : flight) answer += to.feed({&byte, 1});
    flight.clear();
    for (const char byte : answer) flight += from.feed({&byte, 1});
  }
}

}  // namespace

TEST_CASE("engine: our server and our client agree on TLS 1.3", "[tls][handshake]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  Side up = server(*of);
  Side down = client("chat.example.com");
  REQUIRE(up.engine->version().empty());
  REQUIRE(up.engine->sni().empty());
  shake(down, up);
  REQUIRE(up.ready);
  REQUIRE(down.ready);
  REQUIRE(up.engine->version() == "TLSv1.3");
  REQUIRE(down.engine->version() == "TLSv1.3");
  REQUIRE(up.engine->sni() == "chat.example.com");
  REQUIRE_FALSE(up.engine->resumed());
  REQUIRE(up.engine->last_error().empty());
  REQUIRE_FALSE(up.engine->has_pending());
}

TEST_CASE("engine: a client without a name or with an address sends no SNI", "[tls][handshake]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  for (const char* name : {"", "127.0.0.1", "::1"}) {
    CAPTURE(name);
    Side up = server(*of);
    Side down = client(name);
    shake(down, up);
    REQUIRE(up.ready);
    REQUIRE(up.engine->sni().empty());
  }
}

TEST_CASE("engine: the handshake survives a cut at every byte the server gets",
          "[tls][handshake][split]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  std::size_t cuts = 0;
  for (const std::size_t which : {std::size_t{0}, std::size_t{2}}) {
    bool reached = true;
    for (std::size_t cut = 1; reached; ++cut) {
      CAPTURE(which, cut);
      REQUIRE(shakes_with_cut(*of, which, cut, reached));
      if (reached) ++cuts;
    }
  }
  REQUIRE(cuts > 250);  // a ClientHello and a Finished
}

TEST_CASE("engine: the handshake survives a cut in what the client gets",
          "[tls][handshake][split]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  for (const std::size_t which : {std::size_t{1}, std::size_t{3}}) {
    bool reached = true;
    for (std::size_t cut = 1; reached; cut += 11) {
      CAPTURE(which, cut);
      REQUIRE(shakes_with_cut(*of, which, cut, reached));
    }
  }
}

TEST_CASE("engine: one byte at a time makes a handshake, in 1.2 and in 1.3",
          "[tls][handshake][split]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Side up = server(*of);
    RawClient down({.version = version});
    shake_by_bytes(down, up);
    REQUIRE(up.ready);
    REQUIRE(SSL_is_init_finished(down.ssl()) == 1);
    REQUIRE(up.engine->version() == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
  }
  Side up = server(*of);
  Side down = client();
  shake_by_bytes(down, up);
  REQUIRE(up.ready);
  REQUIRE(down.ready);
}

TEST_CASE("engine: a 1.2 client is refused where 1.3 is the minimum", "[tls][handshake]") {
  const auto of = context(Version::tls13);
  Side up = server(*of);
  RawClient down({.version = TLS1_2_VERSION});
  const std::string alert = up.feed(down.feed({}));
  REQUIRE(up.last == Status::error);
  REQUIRE(up.engine->last_error() == "unsupported protocol");
  REQUIRE_FALSE(alert.empty());  // protocol_version: the client learns why
  REQUIRE(static_cast<int>(alert[0]) == 21);
}

TEST_CASE("engine: a 1.1 client is refused", "[tls][handshake]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  Side up = server(*of);
  RawClient down({.version = TLS1_1_VERSION});
  SSL_set_min_proto_version(down.ssl(), TLS1_VERSION);
  SSL_set_security_level(down.ssl(), 0);
  up.feed(down.feed({}));
  REQUIRE(up.last == Status::error);
  REQUIRE(up.engine->version().empty());
}

TEST_CASE("engine: http/1.1 is chosen among what a client offers", "[tls][handshake][alpn]") {
  const auto of = context(Version::tls12, GENERATE(false, true));

  struct Row {
    const char* why;
    std::string offer;
    bool chosen;
  };

  using namespace std::string_literals;
  const Row row = GENERATE(values<Row>({{"alone", "\x08http/1.1"s, true},
                                        {"behind h2", "\x02h2\x08http/1.1"s, true},
                                        {"no ALPN at all", ""s, false}}));
  CAPTURE(row.why);
  Side up = server(*of);
  RawClient down({.alpn = row.offer});
  shake(down, up);
  REQUIRE(up.ready);
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(down.ssl(), &name, &size);
  REQUIRE(std::string(reinterpret_cast<const char*>(name), size) == (row.chosen ? "http/1.1" : ""));
}

TEST_CASE("engine: a client that offers only other protocols is told so",
          "[tls][handshake][alpn]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Side up = server(*of);
    RawClient down({.version = version, .alpn = "\x02h2"});
    const std::string alert = up.feed(down.feed({}));
    REQUIRE(up.last == Status::error);
    REQUIRE(up.engine->last_error() == "no application protocol");
    REQUIRE(alert.size() == 7);
    REQUIRE(static_cast<int>(alert[6]) == 120);  // RFC 7301 3.2: no_application_protocol
  }
}

TEST_CASE("engine: a ticket resumes a session and keeps the name", "[tls][handshake][resume]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    Side first = server(*of);
    RawClient client_once({.version = version});
    shake(client_once, first);
    REQUIRE(first.ready);
    REQUIRE_FALSE(first.engine->resumed());
    REQUIRE(client_once.session() != nullptr);

    Side second = server(*of);
    RawClient client_again({.version = version, .session = client_once.session()});
    shake(client_again, second);
    REQUIRE(second.ready);
    REQUIRE(second.engine->resumed());
    REQUIRE(SSL_session_reused(client_again.ssl()) == 1);
    REQUIRE(second.engine->sni() == "localhost");

    const auto other = context();  // other ticket keys
    Side stranger = server(*other);
    RawClient client_elsewhere({.version = version, .session = client_once.session()});
    shake(client_elsewhere, stranger);
    REQUIRE(stranger.ready);
    REQUIRE_FALSE(stranger.engine->resumed());
  }
}

TEST_CASE("engine: the context may go before the engine", "[tls][handshake]") {
  auto of = context();
  Side up = server(*of);
  of.reset();
  Side down = client();
  shake(down, up);
  REQUIRE(up.ready);
}

TEST_CASE("engine: what is no TLS gives an error with a line", "[tls][handshake][garbage]") {
  struct Row {
    const char* why;
    std::string bytes;
    const char* line;
  };

  const Row row = GENERATE(values<Row>({
      {"plain HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "http request"},
      {"a CONNECT", "CONNECT a:1 HTTP/1.1\r\n\r\n", "https proxy request"},
      {"noise", std::string(64, 'x'), "wrong version number"},
      {"zeros", std::string(64, '\0'), "wrong version number"},
      {"an application record first", std::string("\x17\x03\x03\x00\x01x", 6),
       "unexpected message"},
      {"a record too large", std::string("\x16\x03\x01\xff\xff", 5) + std::string(70000, 'x'),
       "packet length too long"},
  }));
  CAPTURE(row.why);
  const auto of = context(Version::tls12, GENERATE(false, true));
  Side up = server(*of);
  up.feed(row.bytes);
  REQUIRE(up.last == Status::error);
  REQUIRE(up.engine->last_error() == row.line);
  REQUIRE(up.feed("more").empty());
  REQUIRE(up.last == Status::error);
  std::string out;
  REQUIRE(up.engine->write(std::string_view("x"), out) == Status::error);
  up.engine->close_notify(out);
  REQUIRE(out.empty());
}

TEST_CASE("engine: writing before the handshake is an error, not a loss", "[tls][handshake]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  Side up = server(*of);
  std::string out;
  REQUIRE(up.engine->write(std::string_view("early"), out) == Status::error);
  REQUIRE(up.engine->last_error() == "TLS cannot write now");
}

TEST_CASE("engine: a close_notify before the handshake's end writes nothing", "[tls][handshake]") {
  const auto of = context(Version::tls12, GENERATE(false, true));
  Side up = server(*of);
  std::string out;
  up.engine->close_notify(out);
  REQUIRE(out.empty());
}

}  // namespace fairlead::tls::rig
