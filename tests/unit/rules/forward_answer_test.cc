#include "proxy/rules/forward.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/unit/rules/heads.h"

namespace fairlead::rules {
namespace {

std::string answer(const wire::ResponseHead& head, wire::Framing body, bool keep_alive = true) {
  std::string out;
  ForwardResponse response{head, "id1", ""};
  response.keep_alive = keep_alive;
  response.body = body;
  write_client_response(response, out);
  return out;
}

}  // namespace

TEST_CASE("forward: an answer's body is framed anew", "[rules][forward]") {
  using Kind = wire::Framing::Kind;
  const Response sized(
      "HTTP/1.1 200 OK\n"
      "Content-Length: 005\n"
      "Keep-Alive: timeout=5\n"
      "Connection: keep-alive, X-Hop\n"
      "X-Hop: 1\n"
      "Content-Type: text/plain");
  CHECK(answer(sized.head, {Kind::length, 5}) == wire_text("HTTP/1.1 200 OK\n"
                                                           "Content-Type: text/plain\n"
                                                           "Content-Length: 5\n"
                                                           "Connection: keep-alive\n"
                                                           "X-Request-Id: id1"));
  const Response chunked(
      "HTTP/1.1 404 \n"
      "Transfer-Encoding: Chunked\n"
      "Trailer: X-Sum\n"
      "X-Request-Id: theirs");
  CHECK(answer(chunked.head, {Kind::chunked, 0}, false) == wire_text("HTTP/1.1 404 Not Found\n"
                                                                     "Trailer: X-Sum\n"
                                                                     "X-Request-Id: theirs\n"
                                                                     "Transfer-Encoding: chunked\n"
                                                                     "Connection: close"));
  CHECK(answer(chunked.head, {Kind::until_close, 0}, false) == wire_text("HTTP/1.1 404 Not Found\n"
                                                                         "X-Request-Id: theirs\n"
                                                                         "Connection: close"));
}

TEST_CASE("forward: an answer without a body keeps the length it speaks of", "[rules][forward]") {
  const auto length_of = [](int status) {
    wire::ResponseHead head;
    head.status = status;
    head.fields.add("Content-Length", "100");
    return answer(head, {}).find("Content-Length: 100") != std::string::npos;
  };
  CHECK(length_of(200));  // to a HEAD
  CHECK(length_of(304));
  CHECK_FALSE(length_of(204));
  CHECK_FALSE(length_of(101));
}

TEST_CASE("forward: what a server said twice or in disguise is written once, or not",
          "[rules][forward]") {
  wire::ResponseHead head;
  head.status = 304;
  head.fields.add("Content-Length", "100");
  head.fields.add("content-length", "100");
  head.fields.add("Content_Length", "7");
  head.fields.add("Transfer_Encoding", "chunked");
  head.fields.add("X", "a\x01\x1b\x7f");
  CHECK(answer(head, {}) == wire_text("HTTP/1.1 304 Not Modified\n"
                                      "Content-Length: 100\n"
                                      "X: a   \n"
                                      "Connection: keep-alive\n"
                                      "X-Request-Id: id1"));
}

TEST_CASE("forward: of two ways to frame a body only one is written", "[rules][forward]") {
  // The parser leaves this to framing, which refuses it; were it to come here, it would still be
  // one message.
  wire::ResponseHead head;
  head.status = 200;
  head.fields.add("Content-Length", "5");
  head.fields.add("Transfer-Encoding", "chunked");
  CHECK(answer(head, {wire::Framing::Kind::chunked, 0}) == wire_text("HTTP/1.1 200 OK\n"
                                                                     "Transfer-Encoding: chunked\n"
                                                                     "Connection: keep-alive\n"
                                                                     "X-Request-Id: id1"));
}

TEST_CASE("forward: an interim answer passes with what is end to end", "[rules][forward]") {
  const Response early(
      "HTTP/1.1 103 Early Hints\n"
      "Link: </a.css>; rel=preload\n"
      "Connection: X-Hop\n"
      "X-Hop: 1");
  std::string out;
  write_client_interim(early.head, out);
  CHECK(out == wire_text("HTTP/1.1 103 Early Hints\nLink: </a.css>; rel=preload"));
}

}  // namespace fairlead::rules
