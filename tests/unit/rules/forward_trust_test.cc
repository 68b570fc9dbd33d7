// Fields by which proxies speak of a client: whose are believed, and what of them is passed on.

#include <string>

#include "tests/unit/rules/forward_scene.h"

namespace fairlead::rules {

TEST_CASE("forward: what an untrusted client must not say is dropped", "[rules][forward]") {
  struct Row {
    const char* field;
    const char* why;
  };

  const Row rows[] = {
      {"X-Forwarded-For: 10.0.0.1", "replaced"},
      {"x-forwarded-for: 1.1.1.1\nX-FORWARDED-FOR: 2.2.2.2", "in any case, however often"},
      {"X-Forwarded-Proto: http", "replaced"},
      {"X-Forwarded-Host: evil.org", "replaced"},
      {"X-Forwarded-Port: 1", "replaced"},
      {"X-Real-IP: 127.0.0.1", "replaced"},
      {"X-Request-Id: other", "the caller decides which id is kept"},
      {"Forwarded: for=127.0.0.1;proto=https", "removed"},
      {"X_Forwarded_For: 127.0.0.1", "equal to CGI"},
      {"X_REAL-ip: 127.0.0.1", "equal to CGI"},
      {"X_Request_Id: other", "equal to CGI"},
      {"X.Forwarded.For: 127.0.0.1", "equal to some"},
      {"X-Forwarded-Ssl: on", "of the namespace"},
      {"X-Forwarded-Scheme: https", "of the namespace"},
      {"x-forwarded-prefix: //evil.org", "of the namespace, in any case"},
      {"X-Forwarded-User: root", "of the namespace"},
      {"X-Forwarded-Server: inner", "of the namespace"},
      {"X-Forwarded-Anything-New: 1", "of the namespace, known or not"},
      {"X_Forwarded_Ssl: on\nX-Forwarded_User: root", "of the namespace, disguised"},
      {"X-Forwarded: for=127.0.0.1", "of the namespace"},
      {"Proxy: http://evil.org", "CGI's HTTP_PROXY"},
      {"PROXY: http://evil.org", "CGI's HTTP_PROXY"},
      {"Fairlead-Reattached: 1", "how Fairlead speaks"},
      {"fairlead_reattached: 1\nFairlead-Key: user-1", "how Fairlead speaks"},
      {"Connection: X-Forwarded-User\nX-Forwarded-User: root", "not even named in Connection"},
      {"Connection: X-Forwarded-For, X-Real-IP", "ours are set all the same"},
      {"Upgrade: h2c\nConnection: Upgrade, HTTP2-Settings\nHTTP2-Settings: AAM", "no h2c"},
      {"Upgrade: websocket", "no handshake: no Upgrade"},
      {"Connection: close, Secret\nSecret: 1", "named in Connection"},
      {"TE: gzip\nTrailer: X", "of this hop, and nothing follows a body that is none"},
      {"Proxy-Authorization: Basic AAAA\nProxy-Connection: keep-alive", "of this hop"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.field, row.why);
    const auto out =
        Scene().forward(std::string("GET / HTTP/1.1\nHost: a.com\n") + row.field + "\nA: 1");
    CHECK(out == wire_text(std::string("GET / HTTP/1.1\nHost: a.com\nA: 1\n") + kTail));
  }
}

TEST_CASE("forward: a trusted peer's fields are kept and appended to", "[rules][forward]") {
  const Scene scene = behind_proxy();
  SECTION("all of them") {
    const auto out = scene.forward(
        "GET / HTTP/1.1\n"
        "Host: inner:8080\n"
        "X-Forwarded-For: 203.0.113.5\n"
        "X-Forwarded-Proto: https\n"
        "X-Forwarded-Host: a.com\n"
        "X-Forwarded-Port: 443\n"
        "X-Real-IP: 1.2.3.4\n"
        "Forwarded: for=203.0.113.5\n"
        "X-Forwarded-For: 10.0.0.9");
    CHECK(out == wire_text("GET / HTTP/1.1\n"
                           "Host: inner:8080\n"
                           "Forwarded: for=203.0.113.5\n"
                           "X-Forwarded-For: 203.0.113.5, 10.0.0.9, 10.0.0.1\n"
                           "X-Forwarded-Proto: https\n"
                           "X-Forwarded-Host: a.com\n"
                           "X-Forwarded-Port: 443\n"
                           "X-Real-IP: 203.0.113.5\n"
                           "X-Request-Id: id1"));
  }
  SECTION("what it leaves out is our own") {
    const auto out =
        scene.forward("GET / HTTP/1.1\nHost: inner:8080\nX-Forwarded-For:\nX_Forwarded_For: 1");
    CHECK(out == wire_text("GET / HTTP/1.1\n"
                           "Host: inner:8080\n"
                           "X-Forwarded-For: 10.0.0.1\n"
                           "X-Forwarded-Proto: http\n"
                           "X-Forwarded-Host: inner:8080\n"
                           "X-Forwarded-Port: 8080\n"
                           "X-Real-IP: 10.0.0.1\n"
                           "X-Request-Id: id1"));
  }
}

TEST_CASE("forward: of a trusted peer one understood value each passes", "[rules][forward]") {
  struct Row {
    const char* fields;
    const char* proto;
    const char* host;
    const char* port;
  };

  const Row rows[] = {
      {"X-Forwarded-Proto: javascript", "http", "inner:8080", "8080"},
      {"X-Forwarded-Proto: HTTPS", "https", "inner:8080", "8080"},
      {"X-Forwarded-Proto: wss", "https", "inner:8080", "8080"},
      {"X-Forwarded-Proto: https, javascript:alert(1)", "https", "inner:8080", "8080"},
      {"X-Forwarded-Proto: https\nX-Forwarded-Proto: ftp", "https", "inner:8080", "8080"},
      {"X-Forwarded-Host: a.com", "http", "a.com", "8080"},
      {"X-Forwarded-Host: evil.org, a.com:81", "http", "a.com:81", "8080"},
      {"X-Forwarded-Host: evil.org\nX-Forwarded-Host: a.com", "http", "a.com", "8080"},
      {"X-Forwarded-Host: a.com\nX-Forwarded-Host:", "http", "a.com", "8080"},
      {"X-Forwarded-Host: a.com, <script>", "http", "inner:8080", "8080"},
      {"X-Forwarded-Host: user@a.com", "http", "inner:8080", "8080"},
      {"X-Forwarded-Port: 443", "http", "inner:8080", "443"},
      {"X-Forwarded-Port: 443, 80", "http", "inner:8080", "443"},
      {"X-Forwarded-Port: 443\nX-Forwarded-Port: 80", "http", "inner:8080", "443"},
      {"X-Forwarded-Port: 0", "http", "inner:8080", "8080"},
      {"X-Forwarded-Port: 65536", "http", "inner:8080", "8080"},
      {"X-Forwarded-Port: -1", "http", "inner:8080", "8080"},
      {"X-Forwarded-Port: javascript", "http", "inner:8080", "8080"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.fields);
    const auto out =
        behind_proxy().forward(std::string("GET / HTTP/1.1\nHost: inner:8080\n") + row.fields);
    CHECK(out == wire_text(std::string("GET / HTTP/1.1\n"
                                       "Host: inner:8080\n"
                                       "X-Forwarded-For: 10.0.0.1\n"
                                       "X-Forwarded-Proto: ") +
                           row.proto + "\nX-Forwarded-Host: " + row.host +
                           "\nX-Forwarded-Port: " + row.port +
                           "\nX-Real-IP: 10.0.0.1\n"
                           "X-Request-Id: id1"));
  }
}

TEST_CASE("forward: what else a trusted peer says passes, but not disguised", "[rules][forward]") {
  const auto out = behind_proxy().forward(
      "GET / HTTP/1.1\nHost: a\nX-Forwarded-Ssl: on\nX-Forwarded-Prefix: /app\n"
      "X_Forwarded_User: root\nProxy: http://evil.org\nFairlead-Reattached: 1\nA: 1");
  CHECK(out.starts_with(
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Ssl: on\r\nX-Forwarded-Prefix: /app\r\nA: 1\r\n"
      "X-Forwarded-For: 10.0.0.1\r\n"));
}

TEST_CASE("forward: over a unix socket there is no address to tell", "[rules][forward]") {
  Scene scene;
  scene.peer = Peer();
  scene.peer.unix_socket = true;
  CHECK(scene.forward("GET / HTTP/1.1\nHost: a.com\nX-Forwarded-For: 1.1.1.1") ==
        wire_text("GET / HTTP/1.1\n"
                  "Host: a.com\n"
                  "X-Forwarded-Proto: http\n"
                  "X-Forwarded-Host: a.com\n"
                  "X-Request-Id: id1"));
  scene.peer.trusted = true;
  CHECK(scene.forward("GET / HTTP/1.1\nHost: a.com\nX-Forwarded-For: 1.1.1.1") ==
        wire_text("GET / HTTP/1.1\n"
                  "Host: a.com\n"
                  "X-Forwarded-For: 1.1.1.1\n"
                  "X-Forwarded-Proto: http\n"
                  "X-Forwarded-Host: a.com\n"
                  "X-Real-IP: 1.1.1.1\n"
                  "X-Request-Id: id1"));
}

}  // namespace fairlead::rules
