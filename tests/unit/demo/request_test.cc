// What the demo's servers answer to a request.

#include <vector>

#include "proxy/demo/page.h"
#include "tests/unit/demo/rig.h"

using namespace fairlead;
using namespace fairlead::test;

TEST_CASE("request: a good handshake is accepted on each server's path", "[demo][request]") {
  const auto site = start_site();
  Client echo(site->echo());
  REQUIRE(echo.send(handshake("/echo?room=1")));
  const std::string head = echo.head();
  CHECK(head.substr(0, 12) == "HTTP/1.1 101");
  // RFC 6455 1.3's key and its answer.
  CHECK(head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != head.npos);
  const ChatClient chat(*site);
}

TEST_CASE("request: frames may come in one piece with the handshake", "[demo][request]") {
  const auto site = start_site();
  Client client(site->echo());
  REQUIRE(
      client.send(handshake("/echo") + make({.opcode = 1, .payload = "at once", .masked = true})));
  REQUIRE(client.head().substr(0, 12) == "HTTP/1.1 101");
  CHECK(client.text() == "at once");
}

TEST_CASE("request: a handshake may come byte by byte", "[demo][request]") {
  const auto site = start_site();
  Client client(site->echo());
  for (const char c : handshake("/echo") + make({.opcode = 1, .payload = "slow", .masked = true})) {
    REQUIRE(client.send({&c, 1}));
  }
  REQUIRE(client.head().substr(0, 12) == "HTTP/1.1 101");
  CHECK(client.text() == "slow");
}

TEST_CASE("request: what is not a good handshake is refused with a status, then ended",
          "[demo][request]") {
  struct Row {
    const char* why;
    std::string request;
    const char* status;
  };

  const std::string good = handshake("/echo");
  const std::vector<Row> rows = {
      {"garbage", "\x16\x03\x01\x02garbage\r\n\r\n", "400"},
      {"a bare LF", "GET /echo HTTP/1.1\nHost: demo\n\n", "400"},
      {"no Host", "GET /echo HTTP/1.1\r\n\r\n", "400"},
      {"folded", "GET /echo HTTP/1.1\r\nHost: demo\r\nA: b\r\n c\r\n\r\n", "400"},
      {"both lengths",
       "POST /echo HTTP/1.1\r\nHost: demo\r\nContent-Length: 1\r\nTransfer-Encoding: "
       "chunked\r\n\r\n",
       "400"},
      {"HTTP/2.0", "GET /echo HTTP/2.0\r\nHost: demo\r\n\r\n", "505"},
      {"no key", handshake("/echo", ""), "400"},
      {"a short key", handshake("/echo", "c2hvcnQ="), "400"},
      {"an old version", handshake("/echo", "dGhlIHNhbXBsZSBub25jZQ==", "8"), "426"},
      {"another path", handshake("/chat"), "404"},
      {"no handshake", get("/echo"), "426"},
      {"not here", get("/"), "404"},
      {"another method", get("/echo", "DELETE"), "405"},
      {"a head without end", "GET /echo HTTP/1.1\r\nA: " + std::string(20'000, 'a'), "431"},
      {"too many fields",
       "GET / HTTP/1.1\r\n" +
           [] {
             std::string fields;
             for (int i = 0; i < 101; ++i) fields += "A: b\r\n";
             return fields;
           }() +
           "\r\n",
       "431"},
  };
  const auto site = start_site();
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Client client(site->echo());
    client.send(row.request);
    CHECK(client.head().substr(0, 12) == std::string("HTTP/1.1 ") + row.status);
    client.finish();
    CHECK(client.rest().substr(0, 3) == row.status);
    CHECK(client.at_end());
  }
}

TEST_CASE("request: a head that does not come in time is answered 408, an idle connection not",
          "[demo][request]") {
  demo::Limits limits;
  limits.head = std::chrono::milliseconds(20);
  const auto site = start_site(limits);
  Client slow(site->chat());
  slow.send("GET / HTTP/1.1\r\n");
  CHECK(slow.head().substr(0, 12) == "HTTP/1.1 408");
  Client idle(site->chat());
  CHECK(idle.at_end());
}

TEST_CASE("request: an answer's connection does not wait for ever for the client's end",
          "[demo][request]") {
  demo::Limits limits;
  limits.ending = std::chrono::milliseconds(20);
  const auto site = start_site(limits);
  Client client(site->chat());
  client.send(get("/missing"));
  CHECK(client.rest().substr(0, 12) == "HTTP/1.1 404");
  // Sending works until the server has closed, and its RST has come.
  while (client.send("x")) {
  }
}

TEST_CASE("request: the page is served on / of the chat server and nothing else is",
          "[demo][request]") {
  const auto site = start_site();
  const std::string answer = ask(site->chat(), get("/"));
  CHECK(answer.substr(0, 15) == "HTTP/1.1 200 OK");
  CHECK(answer.find("Content-Type: text/html; charset=utf-8\r\n") != answer.npos);
  CHECK(answer.find("Content-Security-Policy: default-src 'none'") != answer.npos);
  CHECK(answer.find("Content-Length: " + std::to_string(demo::page().size()) + "\r\n") !=
        answer.npos);
  CHECK(answer.substr(answer.find("\r\n\r\n") + 4) == demo::page());
  CHECK(ask(site->chat(), get("/?query")).substr(0, 12) == "HTTP/1.1 200");

  const std::string head = ask(site->chat(), get("/", "HEAD"));
  CHECK(head.substr(0, 12) == "HTTP/1.1 200");
  CHECK(head.substr(head.find("\r\n\r\n") + 4).empty());

  CHECK(ask(site->chat(), get("/index.html")).substr(0, 12) == "HTTP/1.1 404");
  CHECK(ask(site->chat(), get("/chat")).substr(0, 12) == "HTTP/1.1 426");
  CHECK(ask(site->chat(), get("/", "POST")).substr(0, 12) == "HTTP/1.1 405");
}

TEST_CASE("request: the page is whole, needs nothing from elsewhere and writes no HTML",
          "[demo][page]") {
  const std::string_view page = demo::page();
  CHECK(page.substr(0, 15) == "<!doctype html>");
  CHECK(page.substr(page.size() - 8) == "</html>\n");
  for (const char* id : {"id=\"message\"", "id=\"send\"", "id=\"log\"", "id=\"status\""}) {
    CAPTURE(id);
    CHECK(page.find(id) != page.npos);
  }
  for (const char* bad : {"src=\"http", "href=\"http", "@import", "innerHTML", "outerHTML",
                          "insertAdjacentHTML", "document.write", "eval("}) {
    CAPTURE(bad);
    CHECK(page.find(bad) == page.npos);
  }
}

TEST_CASE("request: connections past the limit are closed at once", "[demo][request]") {
  demo::Limits limits;
  limits.connections = 2;
  const auto site = start_site(limits);
  const EchoClient one(*site);
  const EchoClient two(*site);
  Client three(site->echo());
  CHECK(three.at_end());
}

TEST_CASE("request: sessions past the limit are refused, and there is room again when one ends",
          "[demo][request]") {
  demo::Limits limits;
  limits.sessions = 2;
  const auto site = start_site(limits);
  ChatClient one(*site);
  ChatClient two(*site);
  REQUIRE(two.text() == R"({"info":"guest-2 joined","here":2})");
  CHECK(ask(site->chat(), handshake("/chat")).substr(0, 12) == "HTTP/1.1 503");
  CHECK(ask(site->chat(), get("/")).substr(0, 12) == "HTTP/1.1 200");
  one.send(make({.opcode = 8, .masked = true}));
  CHECK(two.text() == R"({"info":"guest-1 left","here":1})");
  const ChatClient three(*site);
}
