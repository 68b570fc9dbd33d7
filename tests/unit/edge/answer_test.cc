#include "proxy/edge/answer.h"

#include "proxy/wire/head_parser.h"
#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

using rules::Cause;

struct Written {
  std::string text;
  std::size_t body_size = 0;
  wire::ResponseHead head;
  std::string body;
};

// Writes an answer and reads it back.
Written write(const OwnAnswer& answer) {
  Written written;
  written.body_size = write_answer(answer, written.text);
  const std::size_t end = written.text.find("\r\n\r\n");
  REQUIRE(end != std::string::npos);
  REQUIRE(wire::parse_response(std::string_view(written.text).substr(0, end + 4), written.head) ==
          wire::HeadError::none);
  written.body = written.text.substr(end + 4);
  CHECK(written.body.size() == written.body_size);
  return written;
}

wire::RequestHead request(std::string_view method, std::string_view accept) {
  wire::RequestHead head;
  head.method = method;
  if (!accept.empty()) head.fields.add("Accept", accept);
  return head;
}

}  // namespace

TEST_CASE("answer: short text that names the reason in one word", "[edge][answer]") {
  OwnAnswer answer;
  answer.cause = Cause::origin_denied;
  answer.request_id = "abc123";
  answer.keep_alive = true;
  const Written written = write(answer);
  CHECK(written.text ==
        "HTTP/1.1 403 Forbidden\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: 59\r\n"
        "Cache-Control: no-store\r\n"
        "X-Request-Id: abc123\r\n"
        "Connection: keep-alive\r\n"
        "\r\n"
        "403 Forbidden: origin_denied (this origin may not connect)\n");
}

TEST_CASE("answer: JSON where the client accepts it", "[edge][answer]") {
  const wire::RequestHead head = request("GET", "text/html, application/json;q=0.9");
  OwnAnswer answer;
  answer.cause = Cause::no_route;
  answer.request_id = "a\"b";
  answer.request = &head;
  const Written written = write(answer);
  CHECK(written.head.fields.get("Content-Type") == "application/json");
  CHECK(written.head.fields.get("Connection") == "close");
  CHECK(written.body ==
        "{\"error\":\"no_route\",\"message\":\"nothing is served "
        "here\",\"request_id\":\"a\\\"b\"}\n");
}

TEST_CASE("answer: text for a client that says nothing of JSON", "[edge][answer]") {
  const wire::RequestHead head = request("GET", "text/html");
  OwnAnswer answer;
  answer.cause = Cause::no_route;
  answer.request = &head;
  CHECK(write(answer).body.find("no_route") != std::string::npos);
  CHECK(write(answer).body[0] == '4');
}

TEST_CASE("answer: HEAD gets the length and no body", "[edge][answer]") {
  const wire::RequestHead get = request("GET", "");
  const wire::RequestHead head = request("HEAD", "");
  OwnAnswer answer;
  answer.cause = Cause::no_route;
  answer.request = &get;
  const Written full = write(answer);
  answer.request = &head;
  const Written empty = write(answer);
  CHECK(empty.body.empty());
  CHECK(empty.head.fields.get("Content-Length") == std::to_string(full.body.size()));
}

TEST_CASE("answer: 426 says what to upgrade to and which version", "[edge][answer]") {
  OwnAnswer answer;
  answer.cause = Cause::bad_websocket_version;
  answer.keep_alive = GENERATE(true, false);
  const Written written = write(answer);
  CHECK(written.head.status == 426);
  CHECK(written.head.fields.get("Sec-WebSocket-Version") == "13");
  CHECK(written.head.fields.get("Upgrade") == "websocket");
  CHECK(written.head.fields.has_token("Connection", "upgrade"));
  CHECK(written.head.fields.has_token("Connection", "close") == !answer.keep_alive);
}

TEST_CASE("answer: Retry-After in whole seconds, rounded up, at least one", "[edge][answer]") {
  struct Row {
    Cause cause;
    int millis;
    const char* want;
  };

  const auto row = GENERATE(values<Row>({{Cause::handshake_rate, 0, "1"},
                                         {Cause::handshake_rate, 1, "1"},
                                         {Cause::handshake_rate, 999, "1"},
                                         {Cause::handshake_rate, 1000, "1"},
                                         {Cause::handshake_rate, 1001, "2"},
                                         {Cause::too_many_connections_from_ip, 59'999, "60"},
                                         {Cause::max_connections, 5000, "5"},
                                         {Cause::draining, 0, "1"},
                                         {Cause::no_server, 0, "1"},
                                         {Cause::origin_denied, 5000, ""},
                                         {Cause::backend_unreachable, 5000, ""}}));
  OwnAnswer answer;
  answer.cause = row.cause;
  answer.retry_after = conf::Millis{row.millis};
  CHECK(write(answer).head.fields.get("Retry-After") == row.want);
}

TEST_CASE("answer: a redirect carries its location", "[edge][answer]") {
  OwnAnswer answer;
  answer.cause = Cause::redirected;
  answer.location = "https://example.com:8443/a?b";
  const Written written = write(answer);
  CHECK(written.head.status == 308);
  CHECK(written.head.fields.get("Location") == "https://example.com:8443/a?b");
}

TEST_CASE("answer: appends to what is there", "[edge][answer]") {
  std::string out = "before";
  write_answer({}, out);
  CHECK(out.find("beforeHTTP/1.1 500 ") == 0);
}

TEST_CASE("answer: every cause with a status makes a head that parses", "[edge][answer]") {
  for (int i = 0; i < rules::kCauseCount; ++i) {
    OwnAnswer answer;
    answer.cause = static_cast<Cause>(i);
    const rules::Failure& why = rules::failure(answer.cause);
    if (why.status == 0) continue;
    CAPTURE(why.word);
    const Written written = write(answer);
    CHECK(written.head.status == why.status);
    CHECK(written.body.find(why.word) != std::string::npos);
  }
}

}  // namespace fairlead::edge
