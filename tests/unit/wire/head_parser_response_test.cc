// Answers: what a backend may say, and how its body ends.

#include <string>

#include "proxy/wire/head_parser.h"
#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

using namespace std::string_literals;
using Kind = Framing::Kind;

HeadError parse(const std::string& head) {
  ResponseHead out;
  return parse_response(head, out);
}

TEST_CASE("answer: status lines", "[wire][head_parser]") {
  struct Row {
    std::string line;
    int minor_version, status;
    std::string reason;
  };

  const auto row = GENERATE(values<Row>({
      {"HTTP/1.1 200 OK", 1, 200, "OK"},
      {"HTTP/1.0 404 Not  Found ", 0, 404, "Not  Found "},
      {"HTTP/1.1 200 ", 1, 200, ""},
      {"HTTP/1.1 200", 1, 200, ""},
      {"HTTP/1.1 100 Continue", 1, 100, "Continue"},
      {"HTTP/1.1 599 a\tb \xc3\xa4", 1, 599, "a\tb \xc3\xa4"},
  }));
  const std::string head = row.line + "\r\nX: 1\r\n\r\n";
  CAPTURE(row.line);
  ResponseHead out;
  REQUIRE(parse_response(head, out) == HeadError::none);
  CHECK(out.minor_version == row.minor_version);
  CHECK(out.status == row.status);
  CHECK(out.reason == row.reason);
  CHECK(out.fields.get("x") == "1");
}

TEST_CASE("answer: bad heads", "[wire][head_parser]") {
  struct Row {
    const char* why;
    std::string head;
    HeadError error = HeadError::malformed;
  };

  const auto row = GENERATE(values<Row>({
      {"empty", ""},
      {"an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n"},
      {"no status", "HTTP/1.1\r\n\r\n"},
      {"no status, a space", "HTTP/1.1 \r\n\r\n"},
      {"two spaces", "HTTP/1.1  200 OK\r\n\r\n"},
      {"two digits", "HTTP/1.1 20 OK\r\n\r\n"},
      {"four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
      {"below 100", "HTTP/1.1 099 x\r\n\r\n"},
      {"above 599", "HTTP/1.1 600 x\r\n\r\n"},
      {"a sign", "HTTP/1.1 +20 OK\r\n\r\n"},
      {"letters", "HTTP/1.1 2xx OK\r\n\r\n"},
      {"a tab", "HTTP/1.1 200\tOK\r\n\r\n"},
      {"a leading space", " HTTP/1.1 200 OK\r\n\r\n"},
      {"a NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"s},
      {"a CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"},
      {"a bare LF", "HTTP/1.1 200 OK\n\r\n"},
      {"another protocol", "ICY 200 OK\r\n\r\n"},
      {"small letters", "http/1.1 200 OK\r\n\r\n"},
      {"a request", "GET / HTTP/1.1\r\n\r\n"},
      {"HTTP/2", "HTTP/2 200\r\n\r\n"},
      {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", HeadError::unsupported_version},
      {"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", HeadError::unsupported_version},
      {"a space before the colon", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n"},
      {"obs-fold", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"},
      {"no end", "HTTP/1.1 200 OK\r\nX: a\r\n"},
      {"more than the head", "HTTP/1.1 200 OK\r\n\r\nx"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"},
      {"a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"},
      {"a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n"},
      {"two codings", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"},
      {"a coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"an underscore", "HTTP/1.1 200 OK\r\nTransfer_Encoding: chunked\r\n\r\n"},
      {"another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
       HeadError::unsupported_transfer_coding},
  }));
  CAPTURE(row.why);
  CHECK(parse(row.head) == row.error);
}

TEST_CASE("answer: how the body ends", "[wire][head_parser]") {
  struct Row {
    const char* why;
    std::string status, fields;
    const char* method;
    bool ok;
    Kind kind = Kind::none;
    std::uint64_t length = 0;
  };

  const std::string length5 = "Content-Length: 5\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const auto row = GENERATE_COPY(values<Row>({
      {"a length", "200", length5, "GET", true, Kind::length, 5},
      {"a length of 0", "200", "Content-Length: 0\r\n", "GET", true, Kind::length, 0},
      {"chunked", "200", chunked, "GET", true, Kind::chunked},
      {"neither", "200", "", "GET", true, Kind::until_close},
      {"both", "200", length5 + chunked, "GET", false},
      {"both, to HEAD", "200", length5 + chunked, "HEAD", false},
      {"both, 304", "304", length5 + chunked, "GET", false},
      {"to HEAD", "200", length5, "HEAD", true},
      {"to HEAD, chunked", "200", chunked, "HEAD", true},
      {"head is another method", "200", length5, "head", true, Kind::length, 5},
      {"304", "304", length5, "GET", true},
      {"204", "204", "", "GET", true},
      {"204 with a length of 0", "204", "Content-Length: 0\r\n", "GET", true},
      {"204 that announces a body", "204", length5, "GET", false},
      {"204, chunked", "204", chunked, "GET", false},
      {"101", "101", "", "GET", true},
      {"101 that announces a body", "101", length5, "GET", false},
      {"103", "103", "", "HEAD", true},
      {"205 is framed as any", "205", length5, "GET", true, Kind::length, 5},
      {"an error", "500", "", "POST", true, Kind::until_close},
  }));
  CAPTURE(row.why);
  const std::string head = "HTTP/1.1 " + row.status + " x\r\n" + row.fields + "\r\n";
  ResponseHead out;
  REQUIRE(parse_response(head, out) == HeadError::none);
  const ResponseFraming framing = response_framing(out, row.method);
  CHECK(framing.ok == row.ok);
  CHECK(framing.framing.kind == row.kind);
  CHECK(framing.framing.length == row.length);
}

}  // namespace
}  // namespace fairlead::wire
