#include "proxy/rules/forward.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/rules/heads.h"

namespace fairlead::rules {
namespace {

// A client at 192.0.2.7 speaks TLS to port 443 here; nobody in between.
struct Scene {
  Scene() {
    peer.ip = *conf::Ip::parse("192.0.2.7");
    peer.secure = true;
    peer.local_port = 443;
  }

  std::string forward(std::string_view lines, bool websocket = false) const {
    const Request request(lines);
    const std::vector<conf::Cidr> trusted{*conf::Cidr::parse("10.0.0.0/8")};
    const Client client = find_client(request.head, peer, trusted);
    std::string out = "before";
    write_backend_request(
        {request.head, peer, client, route, "id1", websocket, wire::request_framing(request.head)},
        out);
    REQUIRE(out.starts_with("before"));
    return out.substr(6);
  }

  Peer peer;
  conf::Route route;
};

Scene behind_proxy() {
  Scene scene;
  scene.peer.ip = *conf::Ip::parse("10.0.0.1");
  scene.peer.trusted = true;
  scene.peer.secure = false;
  scene.peer.local_port = 8080;
  return scene;
}

constexpr const char* kTail =
    "X-Forwarded-For: 192.0.2.7\n"
    "X-Forwarded-Proto: https\n"
    "X-Forwarded-Host: a.com\n"
    "X-Forwarded-Port: 443\n"
    "X-Real-IP: 192.0.2.7\n"
    "X-Request-Id: id1";

// The target a GET of `target` has at the backend.
std::string forwarded_target(const std::string& prefix, const std::string& target, bool strip) {
  Scene scene;
  scene.route.path = prefix;
  scene.route.strip_prefix = strip;
  const auto out = scene.forward("GET " + target + " HTTP/1.1\nHost: a.com");
  return out.substr(4, out.find(" HTTP/1.1\r\n") - 4);
}

}  // namespace

TEST_CASE("forward: a handshake, whole", "[rules][forward]") {
  const auto out = Scene().forward(
      "GET /chat?room=1 HTTP/1.1\n"
      "Host: a.com:443\n"
      "User-Agent: x\n"
      "upgrade: WebSocket\n"
      "Connection: keep-alive, Upgrade\n"
      "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\n"
      "SEC-WEBSOCKET-VERSION: 13\n"
      "sec-websocket-protocol: a, b\n"
      "Sec-Websocket-Extensions: permessage-deflate; client_max_window_bits\n"
      "Origin: https://a.com\n"
      "Cookie: s=1; t=2\n"
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      true);
  CHECK(out == wire_text("GET /chat?room=1 HTTP/1.1\n"
                         "Host: a.com:443\n"
                         "User-Agent: x\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
                         "Sec-WebSocket-Version: 13\n"
                         "Sec-WebSocket-Protocol: a, b\n"
                         "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\n"
                         "Origin: https://a.com\n"
                         "Cookie: s=1; t=2\n"
                         "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n"
                         "Upgrade: websocket\n"
                         "Connection: Upgrade\n"
                         "X-Forwarded-For: 192.0.2.7\n"
                         "X-Forwarded-Proto: https\n"
                         "X-Forwarded-Host: a.com:443\n"
                         "X-Forwarded-Port: 443\n"
                         "X-Real-IP: 192.0.2.7\n"
                         "X-Request-Id: id1"));
}

TEST_CASE("forward: a trace of ours takes the place of what came", "[rules][forward]") {
  const Request request(
      "GET / HTTP/1.1\nHost: a.com\nTraceparent: one\ntraceparent: two\nTracestate: a=1\nB: 2");
  const Scene scene;
  const Client client = find_client(request.head, scene.peer, {});
  TraceContext trace;
  trace.own = *parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const auto forward = [&] {
    std::string out;
    write_backend_request({request.head, scene.peer, client, scene.route, "id1", false, {}, &trace},
                          out);
    return out;
  };
  const std::string ours =
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n";
  const auto begun = forward();
  CHECK(begun.ends_with(ours));
  CHECK(begun.find("two") == std::string::npos);
  CHECK(begun.find("racestate") == std::string::npos);
  CHECK(begun.find("B: 2\r\n") != std::string::npos);
  trace.parent = {1};
  const auto followed = forward();
  CHECK(followed.ends_with(ours));
  CHECK(followed.find("one") == std::string::npos);
  CHECK(followed.find("Tracestate: a=1\r\n") != std::string::npos);
}

TEST_CASE("forward: a GET, whole; its order is kept", "[rules][forward]") {
  const auto out = Scene().forward(
      "GET /a HTTP/1.1\n"
      "Accept: */*\n"
      "Host: a.com\n"
      "B: 2\n"
      "A: 1\n"
      "B: 3\n"
      "Keep-Alive: timeout=5\n"
      "Connection: keep-alive\n"
      "Range: bytes=0-9");
  CHECK(out == wire_text(std::string("GET /a HTTP/1.1\n"
                                     "Accept: */*\n"
                                     "Host: a.com\n"
                                     "B: 2\n"
                                     "A: 1\n"
                                     "B: 3\n"
                                     "Range: bytes=0-9\n") +
                         kTail));
}

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

TEST_CASE("forward: HTTP/1.0 without Host becomes HTTP/1.1 with an empty one", "[rules][forward]") {
  CHECK(Scene().forward("GET /x HTTP/1.0").starts_with("GET /x HTTP/1.1\r\nHost: \r\n"));
}

TEST_CASE("forward: the target is in origin-form, its prefix stripped if asked",
          "[rules][forward]") {
  struct Row {
    const char* prefix;
    const char* target;
    const char* stripped;
    const char* kept;
  };

  const Row rows[] = {
      {"/chat", "/chat", "/", "/chat"},
      {"/chat", "/chat/", "/", "/chat/"},
      {"/chat", "/chat?x=1", "/?x=1", "/chat?x=1"},
      {"/chat", "/chat/a?x=1", "/a?x=1", "/chat/a?x=1"},
      {"/chat", "/chat//a", "/a", "/chat//a"},
      {"/chat", "/chat//evil.org/x", "/evil.org/x", "/chat//evil.org/x"},
      {"/chat", "/chat///", "/", "/chat///"},
      {"/chat", "/chat/\\evil.org", "/evil.org", "/chat/\\evil.org"},
      {"/chat", "/chat\\evil.org", "/evil.org", "/chat\\evil.org"},
      {"/chat", "/chat/.//evil.org", "/evil.org", "/chat/.//evil.org"},
      {"/chat", "/chat/a/..//evil.org", "/evil.org", "/chat/a/..//evil.org"},
      {"/chat", "/chat/a//b/../c", "/a//b/../c", "/chat/a//b/../c"},
      {"/chat", "/chat/a%2Fb?x=//", "/a%2Fb?x=//", "/chat/a%2Fb?x=//"},
      {"/chat", "/%63hat/%61", "/%61", "/%63hat/%61"},
      {"/chat", "//chat/a", "/a", "//chat/a"},
      {"/chat", "/x/../chat/a", "/a", "/x/../chat/a"},
      {"/chat", "/chat/../chat/a", "/a", "/chat/../chat/a"},
      {"/chat", "/chat/a/../../chat", "/", "/chat/a/../../chat"},
      {"/a%2db", "/a-b/c", "/c", "/a-b/c"},
      {"//chat/./", "/chat/a", "/a", "/chat/a"},
      {"/", "//a", "//a", "//a"},
      {"/chat", "/chat/chat", "/chat", "/chat/chat"},
      {"/chat/", "/chat/a", "/a", "/chat/a"},
      {"/chat/", "/chat", "/", "/chat"},
      {"/a/b", "/a/b/c/d?/a/b", "/c/d?/a/b", "/a/b/c/d?/a/b"},
      {"/", "/", "/", "/"},
      {"/", "/a?b", "/a?b", "/a?b"},
      {"/chat", "http://a.com/chat/x?y", "/x?y", "/chat/x?y"},
      {"/", "http://a.com", "/", "/"},
      {"/", "http://a.com?q", "/?q", "/?q"},
      // Never asked of a path the route does not take; left alone then.
      {"/chat", "/chatter", "/chatter", "/chatter"},
      {"/chat", "/", "/", "/"},
      {"/chat", "/chat/../a", "/chat/../a", "/chat/../a"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.prefix, row.target);
    CHECK(forwarded_target(row.prefix, row.target, true) == row.stripped);
    CHECK(forwarded_target(row.prefix, row.target, false) == row.kept);
  }
}

TEST_CASE("forward: what is written is read again as the same request", "[rules][forward]") {
  const auto out = Scene().forward("GET /a?b HTTP/1.1\nHost: a.com\nA: x\ty\nB:\nC: \xff\xfe");
  wire::RequestHead head;
  REQUIRE(wire::parse_request(out, head) == wire::HeadError::none);
  CHECK(head.path == "/a");
  CHECK(head.query == "?b");
  CHECK(head.host == "a.com");
  CHECK(head.fields.get("A") == "x\ty");
  CHECK(head.fields.get("B").empty());
  CHECK(head.fields.get("C") == "\xff\xfe");
}

TEST_CASE("forward: a 101, whole", "[rules][forward]") {
  const Response response(
      "HTTP/1.1 101 Switching\n"
      "Server: x\n"
      "upgrade: WebSocket\n"
      "connection: upgrade\n"
      "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n"
      "SEC-WEBSOCKET-PROTOCOL: a\n"
      "Content-Length: 0\n"
      "Set-Cookie: s=1");
  std::string out;
  write_client_response({response.head, "id1", "fairlead=abc; Path=/", true, true, {}}, out);
  CHECK(out == wire_text("HTTP/1.1 101 Switching\n"
                         "Server: x\n"
                         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n"
                         "Sec-WebSocket-Protocol: a\n"
                         "Set-Cookie: s=1\n"
                         "Upgrade: websocket\n"
                         "Connection: Upgrade\n"
                         "X-Request-Id: id1\n"
                         "Set-Cookie: fairlead=abc; Path=/"));
}

TEST_CASE("forward: a body is framed anew, in one way", "[rules][forward]") {
  const auto with = [](const std::string& lines) {
    return Scene().forward("POST / HTTP/1.1\nHost: a.com\n" + lines + "\nA: 1");
  };
  const auto want = [](const std::string& lines) {
    return wire_text("POST / HTTP/1.1\nHost: a.com\nA: 1\n" + lines + kTail);
  };
  CHECK(with("B: 1") ==
        wire_text("POST / HTTP/1.1\nHost: a.com\nB: 1\nA: 1\n" + std::string(kTail)));
  CHECK(with("Content-Length: 0") == want("Content-Length: 0\n"));
  CHECK(with("content-length: 0042") == want("Content-Length: 42\n"));
  CHECK(with("transfer-encoding: CHUNKED") == want("Transfer-Encoding: chunked\n"));
  CHECK(with("Connection: Content-Length\nContent-Length: 3") == want("Content-Length: 3\n"));
  CHECK(with("TE: gzip, trailers\nTransfer-Encoding: chunked") ==
        want("TE: trailers\nConnection: TE\nTransfer-Encoding: chunked\n"));
  CHECK(Scene()
            .forward("POST / HTTP/1.1\nHost: a.com\nTrailer: X-Sum\nTransfer-Encoding: chunked")
            .find("Trailer: X-Sum\r\n") != std::string::npos);
}

TEST_CASE("forward: a handshake announces no body", "[rules][forward]") {
  const auto out = Scene().forward(
      "GET / HTTP/1.1\nHost: a.com\nContent-Length: 0\nUpgrade: websocket\nConnection: upgrade",
      true);
  CHECK(out.find("Content-Length") == std::string::npos);
}

TEST_CASE("forward: an expectation passes, but not from HTTP/1.0", "[rules][forward]") {
  const std::string lines = "Host: a.com\nExpect: 100-continue\nContent-Length: 3";
  CHECK(Scene().forward("PUT / HTTP/1.1\n" + lines).find("Expect: 100-continue") !=
        std::string::npos);
  CHECK(Scene().forward("PUT / HTTP/1.0\n" + lines).find("Expect") == std::string::npos);
}

TEST_CASE("forward: OPTIONS * keeps its target", "[rules][forward]") {
  CHECK(Scene().forward("OPTIONS * HTTP/1.1\nHost: a.com").starts_with("OPTIONS * HTTP/1.1\r\n"));
}

}  // namespace fairlead::rules
