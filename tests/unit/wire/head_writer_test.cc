#include "proxy/wire/head_writer.h"

#include <string>

#include "proxy/wire/head_parser.h"
#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

using namespace std::string_literals;

TEST_CASE("writer: heads are appended line by line", "[wire][head_writer]") {
  std::string out = "before";
  HeadWriter writer(out);
  writer.request_line("GET", "/x?y").field("Host", "a").field("X-Empty", "").end();
  CHECK(out == "beforeGET /x?y HTTP/1.1\r\nHost: a\r\nX-Empty: \r\n\r\n");
  out.clear();
  HeadWriter(out).status_line(503, "").field("Retry-After", "1").end();
  CHECK(out == "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\r\n");
  out.clear();
  HeadWriter(out).status_line(200, "Fine").end();
  CHECK(out == "HTTP/1.1 200 Fine\r\n\r\n");
  out.clear();
  HeadWriter(out).status_line(299, "").end();
  CHECK(out == "HTTP/1.1 299 \r\n\r\n");
}

TEST_CASE("writer: nothing put into a value starts a line of its own", "[wire][head_writer]") {
  std::string out;
  HeadWriter(out).field("X", "a\r\nY: b\0c\x7f"s).status_line(200, "x\r\n").end();
  CHECK(out == "X: a  Y: b c \r\nHTTP/1.1 200 x  \r\n\r\n");
}

TEST_CASE("writer: what is written parses to the same", "[wire][head_writer]") {
  const std::string head =
      "GET /a?b HTTP/1.1\r\nhOST:a\r\nX:   padded\t \r\nCookie: a=b; c\r\n\r\n";
  RequestHead first;
  REQUIRE(parse_request(head, first) == HeadError::none);
  std::string out;
  HeadWriter writer(out);
  writer.request_line(first.method, first.target);
  for (const Field& field : first.fields) writer.field(field.name, field.value);
  writer.end();
  CHECK(out == "GET /a?b HTTP/1.1\r\nhOST: a\r\nX: padded\r\nCookie: a=b; c\r\n\r\n");
  RequestHead second;
  CHECK(parse_request(out, second) == HeadError::none);
}

TEST_CASE("writer: reason phrases", "[wire][head_writer]") {
  CHECK(reason_phrase(101) == "Switching Protocols");
  CHECK(reason_phrase(308) == "Permanent Redirect");
  CHECK(reason_phrase(426) == "Upgrade Required");
  CHECK(reason_phrase(431) == "Request Header Fields Too Large");
  CHECK(reason_phrase(505) == "HTTP Version Not Supported");
  CHECK(reason_phrase(306).empty());
  CHECK(reason_phrase(0).empty());
}

TEST_CASE("writer: hop-by-hop fields", "[wire][head_writer]") {
  Fields fields;
  fields.add("Connection", "close, X-Hop");
  fields.add("connection", "Y-Hop");
  for (const char* name :
       {"Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "UPGRADE",
        "Proxy-Connection", "Proxy-Authorization", "proxy-x", "HTTP2-Settings", "x-hop", "Y-HOP"}) {
    CAPTURE(name);
    CHECK(is_hop_by_hop(fields, name));
  }
  for (const char* name : {"X-Other", "Proxy", "Trailers", "Host", "X-Hop-2"}) {
    CAPTURE(name);
    CHECK_FALSE(is_hop_by_hop(fields, name));
  }
}

TEST_CASE("writer: Connection cannot name away what the ends rely on", "[wire][head_writer]") {
  const std::string name = GENERATE(
      as<std::string>(), "Host", "Origin", "Cookie", "Set-Cookie", "Authorization",
      "Sec-WebSocket-Key", "sec-websocket-protocol", "Sec-Fetch-Site", "Content-Length",
      "Content-Type", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP",
      "X-Request-ID", "Cache-Control", "traceparent", "Access-Control-Allow-Origin", "Retry-After");
  CAPTURE(name);
  const std::string connection = "upgrade, " + name;
  Fields naming;
  naming.add("Connection", connection);
  CHECK_FALSE(is_hop_by_hop(naming, name));
}

TEST_CASE("writer: Sec-WebSocket names in their canonical case", "[wire][head_writer]") {
  CHECK(canonical_name("sec-websocket-key") == "Sec-WebSocket-Key");
  CHECK(canonical_name("SEC-WEBSOCKET-EXTENSIONS") == "Sec-WebSocket-Extensions");
  CHECK(canonical_name("sec-websocket-protocol") == "Sec-WebSocket-Protocol");
  CHECK(canonical_name("sec-websocket-version") == "Sec-WebSocket-Version");
  CHECK(canonical_name("Sec-Websocket-Accept") == "Sec-WebSocket-Accept");
  CHECK(canonical_name("sec-websocket-x") == "sec-websocket-x");
  CHECK(canonical_name("hOST") == "hOST");
}

}  // namespace
}  // namespace fairlead::wire
