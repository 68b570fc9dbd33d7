#include "proxy/wire/body_scanner.h"

#include <string>

#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

using namespace std::string_literals;
using State = BodyScanner::State;
using Kind = Framing::Kind;

constexpr Framing kChunked{Kind::chunked, 0};

struct Outcome {
  State state;
  std::size_t taken;
  std::uint64_t payload;
  bool operator==(const Outcome&) const = default;
};

Outcome scan(Framing framing, std::string_view bytes) {
  BodyScanner scanner(framing);
  const std::size_t taken = scanner.scan(bytes);
  return {scanner.state(), taken, scanner.payload_bytes()};
}

Outcome scan_pieces(Framing framing, std::string_view bytes, std::size_t first, std::size_t step) {
  BodyScanner scanner(framing);
  std::size_t taken = scanner.scan(bytes.substr(0, first));
  for (std::size_t at = first; at < bytes.size() && scanner.state() == State::more; at += step) {
    taken += scanner.scan(bytes.substr(at, step));
  }
  return {scanner.state(), taken, scanner.payload_bytes()};
}

void check_every_split(Framing framing, std::string_view bytes, const Outcome& want) {
  CAPTURE(bytes);
  CHECK(scan(framing, bytes) == want);
  for (std::size_t at = 0; at <= bytes.size(); ++at) {
    CAPTURE(at);
    CHECK(scan_pieces(framing, bytes, at, bytes.size()) == want);
  }
  CHECK(scan_pieces(framing, bytes, 1, 1) == want);
}

TEST_CASE("body: no body and an empty one are complete at once", "[wire][body_scanner]") {
  CHECK(scan({Kind::none, 0}, "GET / ") == Outcome{State::complete, 0, 0});
  CHECK(scan({Kind::length, 0}, "GET / ") == Outcome{State::complete, 0, 0});
  CHECK(BodyScanner({Kind::none, 0}).state() == State::complete);
}

TEST_CASE("body: a length is counted to the byte", "[wire][body_scanner]") {
  check_every_split({Kind::length, 6}, "12345", {State::more, 5, 5});
  check_every_split({Kind::length, 5}, "12345", {State::complete, 5, 5});
  check_every_split({Kind::length, 4}, "12345", {State::complete, 4, 4});
  CHECK(scan({Kind::length, UINT64_MAX}, "12345") == Outcome{State::more, 5, 5});
}

TEST_CASE("body: until the close there is no end", "[wire][body_scanner]") {
  check_every_split({Kind::until_close, 0}, "12345\r\n\r\n", {State::more, 9, 9});
}

TEST_CASE("body: chunked bodies that are well formed", "[wire][body_scanner]") {
  struct Row {
    std::string body;
    std::uint64_t payload;
  };

  const auto row = GENERATE(values<Row>({
      {"0\r\n\r\n", 0},
      {"000\r\n\r\n", 0},
      {"5\r\nhello\r\n0\r\n\r\n", 5},
      {"1\r\na\r\n0002\r\nbc\r\n0\r\n\r\n", 3},
      {"a\r\n0123456789\r\n0\r\n\r\n", 10},
      {"A\r\n0123456789\r\n0\r\n\r\n", 10},
      {"0000000000000001\r\na\r\n0\r\n\r\n", 1},
      {"5\r\n\r\n0\r\n\r\n0\r\n\r\n", 5},
      {"1;name=value\r\na\r\n0;x=\"a;b\"\r\n\r\n", 1},
      {"1;\r\na\r\n0\r\n\r\n", 1},
      {"1; a\tb\r\nc\r\n0\r\n\r\n", 1},
      {"0\r\nX: y\r\n\r\n", 0},
      {"1\r\na\r\n0\r\nX-One:\r\nETag: \"\x80\" \t\r\n\r\n", 1},
  }));
  check_every_split(kChunked, row.body, {State::complete, row.body.size(), row.payload});
  SECTION("what follows belongs to the next message") {
    CHECK(scan(kChunked, row.body + "GET / HTTP/1.1") ==
          Outcome{State::complete, row.body.size(), row.payload});
  }
  SECTION("no part of it is complete") {
    for (std::size_t size = 0; size < row.body.size(); ++size) {
      CHECK(scan(kChunked, row.body.substr(0, size)).state == State::more);
    }
  }
}

TEST_CASE("body: chunked bodies that two readers could read in two ways",
          "[wire][body_scanner][smuggling]") {
  struct Row {
    const char* why;
    std::string body;  // its last byte is the one that is refused
  };

  const auto row = GENERATE(values<Row>({
      {"no size", "\r"},
      {"no size, bare LF", "\n"},
      {"no size, an extension", ";"},
      {"a plus sign", "+"},
      {"a minus sign", "-"},
      {"a space first", " "},
      {"a tab first", "\t"},
      {"a zero-x", "0x"},
      {"a letter that is no digit", "g"},
      {"a letter behind a digit", "1g"},
      {"a space behind, before an extension or not", "5 "},
      {"a tab behind", "5\t"},
      {"an underscore", "1_"},
      {"a comma", "1,"},
      {"a dot", "1."},
      {"a NUL", "1\0"s},
      {"obs-text", "1\x80"},
      {"17 digits", "00000000000000001"},
      {"2^63", "8000000000000000"},
      {"2^64 - 1", "ffffffffffffffff"},
      {"2^64", "10000000000000000"},
      {"2^64 + 5", "10000000000000005"},
      {"bare LF behind the size", "5\n"},
      {"bare CR behind the size", "5\rh"},
      {"CR CR LF behind the size", "5\r\r"},
      {"bare LF in an extension", "5;a\n"},
      {"bare CR in an extension", "5;a\rb"},
      {"NUL in an extension", "5;a\0"s},
      {"data longer than its size", "5\r\nhello!"},
      {"no CRLF behind data", "5\r\nhello0"},
      {"bare LF behind data", "5\r\nhello\n"},
      {"bare CR behind data", "5\r\nhello\r0"},
      {"CR CR LF behind data", "5\r\nhello\r\r"},
      {"an empty line between chunks", "5\r\nhello\r\n\r"},
      {"a space between chunks", "5\r\nhello\r\n "},
      {"bare LF behind the last size", "0\n"},
      {"bare LF as the last line", "0\r\n\n"},
      {"bare CR as the last line", "0\r\n\rX"},
      {"a trailer without a name", "0\r\n:"},
      {"a trailer with a leading space", "0\r\n "},
      {"a trailer with a leading tab", "0\r\n\t"},
      {"a trailer that is a request", "0\r\nGET "},
      {"a space before a trailer's colon", "0\r\nX "},
      {"a trailer without a colon", "0\r\nX\r"},
      {"NUL in a trailer", "0\r\nX: \0"s},
      {"bare LF in a trailer", "0\r\nX: a\n"},
      {"bare CR in a trailer", "0\r\nX: a\rb"},
      {"obs-fold in a trailer", "0\r\nX: a\r\n "},
      {"a length in the trailers", "0\r\nContent-Length:"},
      {"a coding in the trailers", "0\r\ntransfer-encoding:"},
      {"a length in disguise", "0\r\nX: a\r\ncontent_length:"},
      {"a host in the trailers", "0\r\nHOST:"},
      {"credentials in the trailers", "0\r\nAuthorization:"},
  }));
  CAPTURE(row.why);
  const std::size_t size = row.body.size();
  const Outcome got = scan(kChunked, row.body + "\r\n\r\n");
  CHECK(got.state == State::error);
  CHECK(got.taken == size - 1);
  CHECK(scan(kChunked, row.body.substr(0, size - 1)).state == State::more);
  check_every_split(kChunked, row.body, {State::error, size - 1, got.payload});
}

TEST_CASE("body: blanks behind a size, of an answer alone", "[wire][body_scanner]") {
  constexpr Framing kPadded{Kind::chunked, 0, true};
  for (const std::string body :
       {"2 \r\nok\r\n0 \r\n\r\n", "2\t  \r\nok\r\n0\r\n\r\n", "2 ;a=b\r\nok\r\n0  \r\n\r\n"}) {
    check_every_split(kPadded, body, {State::complete, body.size(), 2});
    CHECK(scan(kChunked, body).state == State::error);
  }
  for (const std::string body : {" 2\r\n", "2 3\r\n", "2 \n", " \r\n"}) {
    CAPTURE(body);
    CHECK(scan(kPadded, body).state == State::error);
  }
  CHECK(scan(kPadded, "2" + std::string(256, ' ')).state == State::more);
  CHECK(scan(kPadded, "2" + std::string(257, ' ')).state == State::error);
  CHECK(scan(kPadded, "2" + std::string(200, ' ') + ";" + std::string(57, 'a')).state ==
        State::error);
}

TEST_CASE("body: the greatest chunk", "[wire][body_scanner]") {
  CHECK(scan(kChunked, "7fffffffffffffff\r\nabc") == Outcome{State::more, 21, 3});
  CHECK(scan(kChunked, "7FFFFFFFFFFFFFFE\r\nabc") == Outcome{State::more, 21, 3});
}

TEST_CASE("body: extensions and trailers are bounded", "[wire][body_scanner]") {
  const auto extended = [](std::size_t size) { return "1;" + std::string(size, 'e') + "\r\n"; };
  CHECK(scan(kChunked, extended(255)).state == State::more);
  CHECK(scan(kChunked, extended(256)).state == State::more);
  CHECK(scan(kChunked, extended(257)).state == State::error);
  CHECK(scan(kChunked, extended(256) + "a\r\n" + extended(256)).state == State::more);

  const auto trailed = [](std::size_t size) {
    return "0\r\nA:b\r\nX:" + std::string(size - 5, 't') + "\r\n\r\n";
  };
  CHECK(scan(kChunked, trailed(8191)).state == State::complete);
  CHECK(scan(kChunked, trailed(8192)).state == State::complete);
  CHECK(scan(kChunked, trailed(8193)).state == State::error);
  CHECK(scan(kChunked, "0\r\n" + std::string(8192, 'n') + ":").state == State::error);
}

TEST_CASE("body: an end stays an end", "[wire][body_scanner]") {
  BodyScanner done(kChunked);
  CHECK(done.scan("0\r\n\r\n0") == 5);
  CHECK(done.scan("0\r\n\r\n") == 0);
  CHECK(done.state() == State::complete);
  BodyScanner bad(kChunked);
  CHECK(bad.scan("x") == 0);
  CHECK(bad.scan("0\r\n\r\n") == 0);
  CHECK(bad.state() == State::error);
}

}  // namespace
}  // namespace fairlead::wire
