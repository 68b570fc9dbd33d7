#include "proxy/edge/health_check.h"

#include <sys/socket.h>

#include <string>

#include "proxy/net/socket.h"
#include "proxy/wire/handshake.h"
#include "tests/support/catch.h"
#include "tests/unit/edge/health.h"

namespace fairlead::edge {
namespace {

using namespace std::chrono_literals;
using Outcome = HealthCheck::Outcome;
using Type = conf::Health::Type;

// One check against a socket in our hand, in a loop turned by hand.
struct Rig final : HealthCheck::Handler {
  explicit Rig(const conf::Health& health)
      : settings(health), bound(net::listen_on(loopback())), check(loop, random, settings, *this) {}

  void on_checked(Outcome got, const std::string& text) override {
    ++calls;
    outcome = got;
    why = text;
  }

  void turn(int times = 20) {
    for (int i = 0; i < times; ++i) loop.turn(false);
  }

  // Connected, and the request read.
  void begin() {
    check.start(bound.address);
    for (int i = 0; i < 1000 && !server; ++i) {
      loop.turn(false);
      server = net::Fd(accept4(bound.fd.get(), nullptr, nullptr, SOCK_NONBLOCK));
    }
    REQUIRE(server);
    for (int i = 0; i < 1000 && request.empty() && settings.type != Type::tcp; ++i) {
      loop.turn(false);
      request = receive();
    }
  }

  std::string receive() {
    std::array<char, 4096> buffer{};
    const auto n = recv(server.get(), buffer.data(), buffer.size(), 0);
    return {buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
  }

  bool ended() {
    char byte = 0;
    return recv(server.get(), &byte, 1, MSG_PEEK) == 0;
  }

  void say(std::string_view text) {
    REQUIRE(send(server.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
    turn();
  }

  std::string key() const {
    const std::string name = "Sec-WebSocket-Key: ";
    const auto at = request.find(name) + name.size();
    return request.substr(at, request.find('\r', at) - at);
  }

  std::string good_101(const std::string& more = "") const {
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           wire::accept_key(key()) + "\r\n" + more + "\r\n";
  }

  // The Ping's payload, unmasked.
  std::string ping() {
    turn();
    const std::string bytes = receive();
    wire::FrameHeader header;
    REQUIRE(wire::decode_header(bytes, header) != 0);
    CHECK(header.opcode == static_cast<std::uint8_t>(wire::Opcode::ping));
    CHECK(header.masked);
    return std::string(wire::control_payload(header, bytes).view());
  }

  static std::string pong(const std::string& payload) {
    const auto frame = wire::make_control(wire::Opcode::pong, payload, {});
    return {frame.bytes.data(), frame.size};
  }

  net::Loop loop;
  Random random;
  conf::Health settings;
  net::Bound bound;
  HealthCheck check;
  net::Fd server;
  std::string request;
  int calls = 0;
  Outcome outcome = Outcome::unknown;
  std::string why;
};

}  // namespace

TEST_CASE("check: tcp passes with the connect, and leaves at once", "[edge][health]") {
  Rig rig(settings(Type::tcp));
  rig.begin();
  rig.turn();
  CHECK(rig.calls == 1);
  CHECK(rig.outcome == Outcome::passed);
  CHECK(rig.ended());
}

TEST_CASE("check: a refused connect fails, whatever the type", "[edge][health]") {
  for (const auto type : {Type::tcp, Type::http, Type::websocket}) {
    Rig rig(settings(type));
    rig.bound.fd.reset();
    rig.check.start(rig.bound.address);
    rig.turn();
    CHECK(rig.calls == 1);
    CHECK(rig.outcome == Outcome::failed);
    CHECK(rig.why == "connecting: Connection refused");
  }
}

TEST_CASE("check: http goes by the status", "[edge][health]") {
  struct Row {
    const char* answer;
    const char* why;  // "" for passed
  };

  const auto row = GENERATE(values<Row>({
      {"HTTP/1.1 200 OK\r\n\r\n", ""},
      {"HTTP/1.0 204\r\n\r\n", ""},
      {"HTTP/1.1 399 Odd\r\nContent-Length: 5000000\r\n\r\nbo", ""},
      {"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 301 M\r\n\r\n", ""},
      {"HTTP/1.1 400 Bad\r\n\r\n", "it answered 400"},
      {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "it answered 503"},
      {"HTTP/1.1 101 Switch\r\n\r\n", "it answered 101"},
      {"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 500 No\r\n\r\n", "it answered 500"},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n",
       "its answer is not valid HTTP/1.1: it does not begin with HTTP/1.1"},
      {"HTTP/1.1 200 OK\nServer : x\n\n", ""},
      {"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", ""},
      {"HTTP/1.1 200 OK\r\nServer: \x01\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
       "its answer is not valid HTTP/1.1: it has two different Content-Lengths"},
  }));
  const bool whole = GENERATE(true, false);
  CAPTURE(row.answer, whole);
  Rig rig(settings(Type::http));
  rig.begin();
  CHECK(rig.request == "GET / HTTP/1.1\r\nHost: " + rig.bound.address.text() +
                           "\r\nUser-Agent: Fairlead-Health\r\nAccept: */*\r\nConnection: close"
                           "\r\n\r\n");
  const std::string_view answer = row.answer;
  if (whole) {
    rig.say(answer);
  } else {
    for (std::size_t i = 0; i < answer.size() && rig.calls == 0; ++i) rig.say(answer.substr(i, 1));
  }
  CHECK(rig.calls == 1);
  CHECK(rig.outcome == (*row.why == 0 ? Outcome::passed : Outcome::failed));
  CHECK(rig.why == row.why);
}

TEST_CASE("check: http with a path, a host and a range of statuses", "[edge][health]") {
  auto health = settings(Type::http);
  health.path = "/up?deep=1";
  health.host = "app.example";
  health.status = {503, 503};
  Rig rig(health);
  rig.begin();
  CHECK(rig.request.find("GET /up?deep=1 HTTP/1.1\r\nHost: app.example\r\n") == 0);
  rig.say("HTTP/1.1 503 Here\r\n\r\n");
  CHECK(rig.outcome == Outcome::passed);
}

TEST_CASE("check: websocket passes with the Pong, and says goodbye", "[edge][health]") {
  Rig rig(settings(Type::websocket));
  rig.begin();
  const std::string greeting("\x81\x02hi\x89\x01p", 7);  // a text and a Ping of the server's
  rig.say(rig.good_101() + greeting);
  CHECK(rig.calls == 0);
  const std::string payload = rig.ping();
  CHECK(payload.size() == 8);
  rig.say(Rig::pong("another!"));
  CHECK(rig.calls == 0);
  const std::string answer = Rig::pong(payload);
  for (const char c : answer) {
    CHECK(rig.calls == 0);
    rig.say({&c, 1});
  }
  CHECK(rig.calls == 1);
  CHECK(rig.outcome == Outcome::passed);
  const std::string bytes = rig.receive();
  wire::FrameHeader header;
  REQUIRE(wire::decode_header(bytes, header) != 0);
  CHECK(header.opcode == static_cast<std::uint8_t>(wire::Opcode::close));
  CHECK(wire::parse_close(wire::control_payload(header, bytes).view()).code == 1000);
  // It waits for the server's end, but not for ever.
  CHECK_FALSE(rig.ended());
  rig.loop.advance_clock(3s);
  rig.turn();
  CHECK(rig.ended());
  CHECK(rig.calls == 1);
}

TEST_CASE("check: websocket, what is wrong", "[edge][health]") {
  auto health = settings(Type::websocket);
  SECTION("another status") {
    Rig rig(health);
    rig.begin();
    rig.say("HTTP/1.1 200 OK\r\n\r\n");
    CHECK(rig.why == "it answered 200, not 101");
  }
  SECTION("a 101 that proves nothing") {
    Rig rig(health);
    rig.begin();
    rig.say("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    CHECK(rig.why.find("a bad 101: ") == 0);
  }
  SECTION("the subprotocol is ignored") {
    health.subprotocol = "chat";
    Rig rig(health);
    rig.begin();
    CHECK(rig.request.find("Sec-WebSocket-Protocol: chat\r\n") != std::string::npos);
    rig.say(rig.good_101());
    CHECK(rig.why == "it did not agree to the subprotocol chat");
  }
  SECTION("the subprotocol is agreed to") {
    health.subprotocol = "chat";
    Rig rig(health);
    rig.begin();
    rig.say(rig.good_101("Sec-WebSocket-Protocol: chat\r\n"));
    CHECK(rig.calls == 0);
    CHECK(rig.ping().size() == 8);
  }
  SECTION("a Close instead of a Pong") {
    Rig rig(health);
    rig.begin();
    rig.say(rig.good_101() + std::string("\x88\x02\x03\xf3", 4));
    CHECK(rig.why == "it closed the session before the Pong");
  }
  SECTION("a frame that is none") {
    Rig rig(health);
    rig.begin();
    rig.say(rig.good_101() + std::string("\x83\x00", 2));
    CHECK(rig.why == "it broke the protocol: unknown_opcode");
  }
  SECTION("the connection ends") {
    Rig rig(health);
    rig.begin();
    rig.say(rig.good_101());
    rig.server.reset();
    rig.turn();
    CHECK(rig.why == "the connection ended before the Pong");
  }
  SECTION("no Pong in time") {
    Rig rig(health);
    rig.begin();
    rig.say(rig.good_101());
    rig.loop.advance_clock(1990ms);
    rig.turn();
    CHECK(rig.calls == 0);
    rig.loop.advance_clock(20ms);
    rig.turn();
    CHECK(rig.why == "no Pong within 2s");
  }
  SECTION("talks and talks") {
    Rig rig(health);
    rig.begin();
    rig.say(rig.good_101());
    const std::string message = std::string("\x82\x7e\x40\x00", 4) + std::string(16384, 'x');
    for (int i = 0; i < 4 && rig.calls == 0; ++i) rig.say(message);
    CHECK(rig.why == "it sent 64 KiB, and nothing that was waited for");
  }
}

TEST_CASE("check: no answer, or half of one, fails in time", "[edge][health]") {
  const bool half = GENERATE(true, false);
  Rig rig(settings(Type::http));
  rig.begin();
  if (half) rig.say("HTTP/1.1 200 OK\r\n");
  rig.loop.advance_clock(2100ms);
  rig.turn();
  CHECK(rig.calls == 1);
  CHECK(rig.why == "no answer within 2s");
  CHECK(rig.ended());
}

TEST_CASE("check: the server hangs up", "[edge][health]") {
  Rig rig(settings(Type::http));
  rig.begin();
  rig.server.reset();
  rig.turn();
  CHECK(rig.why == "the connection ended without an answer");
}

TEST_CASE("check: one after the other, the end of the last is cut", "[edge][health]") {
  Rig rig(settings(Type::websocket));
  rig.begin();
  rig.say(rig.good_101());
  rig.say(Rig::pong(rig.ping()));
  CHECK(rig.calls == 1);
  net::Fd old = std::move(rig.server);
  rig.request.clear();
  rig.begin();
  rig.say(rig.good_101());
  rig.say(Rig::pong(rig.ping()));
  CHECK(rig.calls == 2);
  CHECK(rig.outcome == Outcome::passed);
}

}  // namespace fairlead::edge
