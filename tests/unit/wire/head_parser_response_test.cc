// Answers: what a backend may say, and how its body ends.

#include <string>

#include "proxy/wire/head_parser.h"
#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

using namespace std::string_literals;
using Kind = Framing::Kind;

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
      {"HTTP/1.1 600 x", 1, 600, "x"},
      {"HTTP/1.1 999 x", 1, 999, "x"},
      {"HTTP/1.2 200 OK", 1, 200, "OK"},
      {"HTTP/1.1 200 O\x01K", 1, 200, "O\x01K"},
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
      {"four digits, 600 in front", "HTTP/1.1 6000 x\r\n\r\n"},
      {"a sign", "HTTP/1.1 +20 OK\r\n\r\n"},
      {"letters", "HTTP/1.1 2xx OK\r\n\r\n"},
      {"a tab", "HTTP/1.1 200\tOK\r\n\r\n"},
      {"a leading space", " HTTP/1.1 200 OK\r\n\r\n"},
      {"a NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"s},
      {"a CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"},
      {"another protocol", "ICY 200 OK\r\n\r\n"},
      {"small letters", "http/1.1 200 OK\r\n\r\n"},
      {"a request", "GET / HTTP/1.1\r\n\r\n"},
      {"HTTP/2", "HTTP/2 200\r\n\r\n"},
      {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", HeadError::unsupported_version},
      {"HTTP/1.x", "HTTP/1.x 200 OK\r\n\r\n"},
      {"a blank before a length's colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n"},
      {"a blank before a coding's colon",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding\t: chunked\r\n\r\n"},
      {"a blank before a disguise's colon", "HTTP/1.1 200 OK\r\nContent_Length : 2\r\n\r\n"},
      {"a blank within a name", "HTTP/1.1 200 OK\r\nX A: 2\r\n\r\n"},
      {"no name", "HTTP/1.1 200 OK\r\n: 2\r\n\r\n"},
      {"no colon", "HTTP/1.1 200 OK\r\nX\r\n\r\n"},
      {"a control in a name", "HTTP/1.1 200 OK\r\nX\x01: a\r\n\r\n"},
      {"a NUL in a value", "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"s},
      {"a bare CR in a value", "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n"},
      {"a CR too many", "HTTP/1.1 200 OK\r\nX: a\r\r\n\r\n"},
      {"obs-fold", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"},
      {"no end", "HTTP/1.1 200 OK\r\nX: a\r\n"},
      {"more than the head", "HTTP/1.1 200 OK\r\n\r\nx"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"},
      {"two lengths, one bad", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: x\r\n\r\n"},
      {"a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"},
      {"a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n"},
      {"two codings", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"},
      {"two coding fields",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
       HeadError::unsupported_transfer_coding},
  }));
  CAPTURE(row.why);
  ResponseHead out;
  CHECK(parse_response(row.head, out) == row.error);
  CHECK(out.flaw != nullptr);
}

TEST_CASE("answer: what a proxy may mend is taken", "[wire][head_parser]") {
  struct Row {
    const char* why;
    std::string fields;
    const char* name;
    std::string value;
  };

  const auto row = GENERATE(values<Row>({
      {"a blank before the colon (RFC 9112 5.1)", "X : a\r\n", "X", "a"},
      {"blanks before the colon", "X \t: a\r\n", "X", "a"},
      {"an LF (RFC 9112 2.2)", "X: a\nY: b\r\n", "X", "a"},
      {"a control (RFC 9110 5.5)", "X: a\x01\x1b\x7f\r\n", "X", "a\x01\x1b\x7f"},
      {"equal lengths (RFC 9110 8.6)", "Content-Length: 2\r\ncontent-length: 02\r\n",
       "Content-Length", "2"},
      {"a disguise (is not passed on)", "Transfer_Encoding: x\r\n", "Transfer_Encoding", "x"},
  }));
  CAPTURE(row.why);
  for (const char* end : {"\r\n", "\n"}) {
    const std::string head = "HTTP/1.1 200 OK" + std::string(end) + row.fields + end;
    ResponseHead out;
    REQUIRE(parse_response(head, out) == HeadError::none);
    CHECK(out.fields.get(row.name) == row.value);
    CHECK(out.flaw == nullptr);
  }
}

TEST_CASE("answer: how the body ends", "[wire][head_parser]") {
  struct Row {
    const char* why;
    std::string status, fields;
    const char* method;
    bool ok;
    Kind kind = Kind::none;
    std::uint64_t length = 0;
    bool contradicted = false;
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
      {"304, chunked", "304", chunked, "GET", true, Kind::none, 0, true},
      {"two lengths that agree", "200", length5 + length5, "GET", true, Kind::length, 5},
      {"204", "204", "", "GET", true},
      {"204 with a length of 0", "204", "Content-Length: 0\r\n", "GET", true},
      {"204 that announces a body", "204", length5, "GET", true, Kind::none, 0, true},
      {"204, chunked", "204", chunked, "GET", true, Kind::none, 0, true},
      {"204, both", "204", length5 + chunked, "GET", false},
      {"101", "101", "", "GET", true},
      {"101 that announces a body", "101", length5, "GET", true, Kind::none, 0, true},
      {"101, chunked", "101", chunked, "GET", true, Kind::none, 0, true},
      {"103, chunked", "103", chunked, "GET", true, Kind::none, 0, true},
      {"600", "600", length5, "GET", true, Kind::length, 5},
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
  CHECK(framing.contradicted == row.contradicted);
}

TEST_CASE("answer: a coding in HTTP/1.0 is read as it is meant", "[wire][head_parser]") {
  ResponseHead out;
  const std::string head = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  REQUIRE(parse_response(head, out) == HeadError::none);
  CHECK(response_framing(out, "GET").framing.kind == Kind::chunked);
}

}  // namespace
}  // namespace fairlead::wire
