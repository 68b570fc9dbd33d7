// What a client may not bring about: another address than its own, a server that is taken for
// broken, somebody else's login.

#include "tests/support/catch.h"
#include "tests/support/http_rig.h"

namespace fairlead::test {
namespace {

using End = FarEnd::End;

const std::string kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string kAccept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const std::string kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
const std::string kChallenge =
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n";

std::string handshake(const std::string& fields = "") {
  return "GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         fields + "\r\n";
}

std::string with_credentials(const std::string& credentials) {
  return "GET /a HTTP/1.1\r\nHost: a\r\nAuthorization: " + credentials + "\r\n\r\n";
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("trust: a limit per address holds behind a balancer that speaks PROXY", "[flow][trust]") {
  conf::Route route;
  route.limits.handshakes_per_ip = conf::Rate{0.01, 3};
  HttpFlow flow(route);
  flow.reload([](conf::Config& config) {
    config.listeners[0].proxy_protocol = true;
    config.listeners[0].trusted_proxies = {*conf::Cidr::parse("192.0.2.0/24")};
  });
  int passed = 0;
  for (int i = 0; i < 20; ++i) {
    flow.client = flow.connect();
    flow.ask("PROXY TCP4 203.0.113.7 192.0.2.1 4660 443\r\n" +
             handshake("X-Forwarded-For: 198.51.100." + std::to_string(i) + "\r\n"));
    const bool limited = has(flow.got(), "HTTP/1.1 429 ");
    passed += limited ? 0 : 1;
    if (!limited) CHECK(has(flow.asked(), "X-Forwarded-For: 203.0.113.7\r\n"));
  }
  CHECK(passed == 3);
  CHECK(flow.servers.size() == 3);
}

TEST_CASE("trust: a 101 that is bad for what a client offered ejects no server", "[flow][trust]") {
  struct Row {
    std::string answer;
    bool ejected;
  };

  const auto row = GENERATE(values<Row>({
      {kSwitch + kAccept + "Sec-WebSocket-Protocol: Chat\r\n\r\n", false},
      {kSwitch + kAccept + "Sec-WebSocket-Extensions: x-mux\r\n\r\n", false},
      {kSwitch + "Sec-WebSocket-Accept: bm8=\r\n\r\n", true},
      {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" + kAccept + "\r\n", true},
  }));
  CAPTURE(row.answer);
  HttpFlow flow;
  flow.ask(handshake("Sec-WebSocket-Protocol: chat\r\n")).reply(row.answer);
  CHECK(has(flow.got(), "HTTP/1.1 502 "));
  balance::Pool& pool = *flow.home.runtime->routes()[0].pool;
  CHECK((pool.trusts(0, flow.loop.now()) == 0) == row.ejected);
}

TEST_CASE("trust: what a client provokes from a server is no failure of the server",
          "[flow][trust]") {
  HttpFlow flow;
  flow.ask(GENERATE(as<std::string>(), kGet, handshake()));
  SECTION("a reset for an answer") {
    flow.server(0).reset();
    flow.pump();
  }
  SECTION("an end for an answer") {
    flow.server(0).close();
    flow.pump();
  }
  SECTION("no HTTP") {
    flow.reply("SSH-2.0\r\n\r\n");
  }
  SECTION("no answer in time") {
    flow.pass(200s);
  }
  CHECK(has(flow.got(), "HTTP/1.1 50"));
  CHECK(flow.home.runtime->routes()[0].pool->trusts(0, flow.loop.now()) > 1);
}

TEST_CASE("trust: a connection with NTLM is one client's", "[flow][trust]") {
  HttpFlow flow;
  flow.ask(kGet).reply(kChallenge);
  CHECK(has(flow.got(), "HTTP/1.1 401 "));
  CHECK(flow.idle.size() == 0);
  flow.server(0).take();
  auto first = std::exchange(flow.client, flow.connect());
  flow.ask(kGet);
  REQUIRE(flow.servers.size() == 2);  // not the one that was challenged
  flow.reply(kOk);
  CHECK(flow.idle.size() == 1);
  std::swap(first, flow.client);
  // The first client's handshake goes on where it began, though another connection is idle.
  flow.ask(with_credentials("NTLM one"));
  CHECK(has(flow.server(0).take(), "Authorization: NTLM one\r\n"));
  flow.server(0).send(kChallenge);
  flow.pump().ask(with_credentials("NTLM three"));
  CHECK(has(flow.server(0).take(), "Authorization: NTLM three\r\n"));
  flow.server(0).send(kOk);
  // Authenticated: what follows needs no credentials, a POST neither.
  flow.pump().ask(kGet);
  CHECK(has(flow.server(0).take(), "GET /a "));
  flow.server(0).send(kOk);
  flow.pump().ask("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  CHECK(has(flow.server(0).take(), "POST /a "));
  flow.server(0).send(kOk);
  flow.pump();
  CHECK(flow.servers.size() == 2);
  CHECK(flow.idle.size() == 1);
  SECTION("it ends with the client") {
    flow.client->close();
    flow.pump();
    CHECK(flow.server(0).end() == End::eof);
    CHECK(flow.idle.size() == 1);
  }
  SECTION("it ends with the client's keepalive") {
    flow.pass(80s);
    CHECK(flow.server(0).end() == End::eof);
  }
  SECTION("the server ends it: another serves, and is not shared either") {
    flow.server(0).close();
    flow.pump().ask(with_credentials("NTLM one"));
    CHECK(has(flow.server(1).take(), "Authorization: NTLM one\r\n"));
    flow.server(1).send(kChallenge);
    flow.pump();
    CHECK(flow.idle.size() == 0);
  }
  SECTION("the server says something unasked: it is not used again") {
    flow.server(0).send("HTTP/1.1 200 OK\r\n\r\n");
    flow.pump().ask(kGet);
    CHECK(flow.server(0).take().empty());
    CHECK(has(flow.server(1).take(), "GET /a "));
  }
  SECTION("its server is drained: the client goes elsewhere") {
    flow.home.runtime->routes()[0].pool->server(0).admin = balance::AdminState::drain;
    flow.ask(kGet);
    CHECK(has(flow.got(), "HTTP/1.1 503 "));
    CHECK(flow.server(0).take().empty());
  }
}

TEST_CASE("trust: credentials alone make a connection private", "[flow][trust]") {
  HttpFlow flow;
  flow.ask(with_credentials(GENERATE("Negotiate YII=", "NTLM x", "Basic eA==")));
  const bool is_private = !has(flow.asked(), "Basic");
  flow.reply(kOk);
  CHECK(flow.idle.size() == (is_private ? 0 : 1));
  const auto first = std::exchange(flow.client, flow.connect());
  flow.ask(kGet);
  CHECK(flow.servers.size() == (is_private ? 2 : 1));
}

TEST_CASE("trust: a WebSocket handshake with NTLM stays on its connection", "[flow][trust]") {
  HttpFlow flow;
  flow.ask(handshake()).reply(kChallenge);
  CHECK(has(flow.got(), "HTTP/1.1 401 "));
  flow.server(0).take();
  flow.ask(handshake("Authorization: NTLM one\r\n")).reply(kChallenge).got();
  flow.ask(handshake("Authorization: NTLM three\r\n"));
  CHECK(flow.servers.size() == 1);
  CHECK(has(flow.asked(), "Authorization: NTLM three\r\n"));
  CHECK(has(flow.reply(kSwitch + kAccept + "\r\n").got(), "HTTP/1.1 101 "));
}

TEST_CASE("trust: a handshake that failed without NTLM leaves no connection", "[flow][trust]") {
  HttpFlow flow;
  flow.ask(handshake()).reply("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  CHECK(has(flow.got(), "HTTP/1.1 401 "));
  CHECK(flow.server(0).end() == End::eof);
}

}  // namespace fairlead::test
