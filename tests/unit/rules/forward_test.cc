#include "proxy/rules/forward.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/rules/forward_scene.h"

namespace fairlead::rules {
namespace {

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

TEST_CASE("forward: the request takes the name of this process along", "[rules][forward]") {
  const Scene scene;
  const auto forward = [&](const std::string& lines) {
    const Request request("GET / HTTP/1.1\nHost: a.com" + lines);
    std::string out;
    const Client client{scene.peer.ip, true, {}};
    ForwardRequest what{request.head, scene.peer, client, scene.route, "id1"};
    what.hop = "00112233445566ff";
    write_backend_request(what, out);
    return out;
  };
  CHECK(forward("").find("\r\nFairlead-Via: 00112233445566ff\r\n") != std::string::npos);
  const auto second = forward("\nFairlead-Via: aaaaaaaaaaaaaaaa\nFairlead_Via: junk");
  CHECK(second.find("\r\nFairlead-Via: aaaaaaaaaaaaaaaa, 00112233445566ff\r\n") !=
        std::string::npos);
  CHECK(second.find("junk") == std::string::npos);
  CHECK(scene.forward("GET / HTTP/1.1\nHost: a.com\nFairlead-Via: aaaaaaaaaaaaaaaa")
            .find("Fairlead-Via") == std::string::npos);
}

}  // namespace fairlead::rules
