// HeadScanner: where a head ends, whatever way it arrives, and what is refused before it has ended.

#include <string>

#include "proxy/wire/head_parser.h"
#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

using State = HeadScanner::State;
using namespace std::string_literals;

constexpr HeadLimits kLimits{1024, 8};

struct Outcome {
  State state;
  std::size_t size;
  HeadError error;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome(const HeadScanner& scanner, State state) {
  return {state, state == State::complete ? scanner.size() : 0, scanner.error()};
}

Outcome scan(std::string_view bytes, HeadLimits limits = kLimits) {
  HeadScanner scanner(limits);
  const State state = scanner.feed(bytes);
  return outcome(scanner, state);
}

Outcome scan_split(std::string_view bytes, std::size_t at, HeadLimits limits = kLimits) {
  HeadScanner scanner(limits);
  scanner.feed(bytes.substr(0, at));
  const State state = scanner.feed(bytes.substr(at));
  return outcome(scanner, state);
}

Outcome scan_bytewise(std::string_view bytes, HeadLimits limits = kLimits) {
  HeadScanner scanner(limits);
  State state = State::more;
  for (const char& c : bytes) state = scanner.feed({&c, 1});
  return outcome(scanner, state);
}

void check_every_split(std::string_view bytes, const Outcome& want, HeadLimits limits = kLimits) {
  CAPTURE(bytes);
  for (std::size_t at = 0; at <= bytes.size(); ++at) {
    CAPTURE(at);
    CHECK(scan_split(bytes, at, limits) == want);
  }
  CHECK(scan_bytewise(bytes, limits) == want);
}

TEST_CASE("head scanner: complete heads end at their empty line", "[wire][head_scanner]") {
  const std::string head =
      GENERATE(as<std::string>(), "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
               "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX: a\tb\r\nY:\r\n\r\n",
               "GET / HTTP/1.1\r\nX: \x80\xff\xc3\xa4 and a tab\tin a longer value\t\t\tof many "
               "words\r\n\r\n");
  const Outcome want{State::complete, head.size(), HeadError::none};
  CHECK(scan(head) == want);
  check_every_split(head, want);
  SECTION("what follows is not the head's") {
    CHECK(scan(head + "GET /next") == want);
    CHECK(scan(head + "\n\0\r"s) == want);
  }
  SECTION("a part of it is not enough") {
    for (std::size_t size = 0; size < head.size(); ++size) {
      CHECK(scan(std::string_view(head).substr(0, size)).state == State::more);
    }
  }
}

TEST_CASE("head scanner: what no head can hold is refused as it arrives", "[wire][head_scanner]") {
  struct Row {
    const char* why;
    std::string bytes;
  };

  const auto row = GENERATE(values<Row>({
      {"bare LF after the request line", "GET / HTTP/1.1\n"},
      {"bare LF first", "\n"},
      {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n"},
      {"bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
      {"bare CR in a value", "GET / HTTP/1.1\r\nX: a\rb"},
      {"CR CR LF", "GET / HTTP/1.1\r\r"},
      {"CR CR LF at the end", "GET / HTTP/1.1\r\nX: a\r\n\r\r"},
      {"NUL in a value", "GET / HTTP/1.1\r\nX: a\0"s},
      {"NUL in a name", "GET / HTTP/1.1\r\nX\0"s},
      {"NUL first", "\0"s},
      {"DEL in a value", "GET / HTTP/1.1\r\nX: a\x7f"},
      {"vertical tab", "GET / HTTP/1.1\r\nTransfer-Encoding:\x0b"},
      {"form feed", "GET / HTTP/1.1\r\nX: \x0c"},
      {"backspace", "GET / HTTP/1.1\r\nX: \x08"},
      {"unit separator", "GET / HTTP/1.1\r\nX: \x1f"},
      {"escape in the target", "GET /\x1b"},
      {"TLS instead of HTTP", "\x16"},
      {"obs-fold with a space", "GET / HTTP/1.1\r\nX: a\r\n "},
      {"obs-fold with a tab", "GET / HTTP/1.1\r\nX: a\r\n\t"},
      {"fold after the request line", "GET / HTTP/1.1\r\n "},
      {"space before the request line", " "},
      {"tab before the request line", "\t"},
      {"space after an empty line", "\r\n "},
      {"three empty lines first", "\r\n\r\n\r\n"},
  }));
  CAPTURE(row.why);
  const Outcome want{State::error, 0, HeadError::malformed};
  CHECK(scan(row.bytes) == want);
  CHECK(scan(row.bytes + "x\r\n\r\n") == want);
  CHECK(scan(std::string_view(row.bytes).substr(0, row.bytes.size() - 1)).state == State::more);
  check_every_split(row.bytes, want);
}

TEST_CASE("head scanner: every control character is refused at every offset in a value",
          "[wire][head_scanner]") {
  for (int c = 0; c < 256; ++c) {
    const bool allowed = c == '\t' || (c >= 0x20 && c != 0x7f);
    for (std::size_t offset = 0; offset < 17; ++offset) {
      const std::string bytes = "GET / HTTP/1.1\r\nX:" + std::string(offset, 'v') +
                                static_cast<char>(c) + "wwwwwwwwwwwwwwwwwww";
      CAPTURE(c, offset);
      if (c == '\r') continue;  // its neighbour decides
      CHECK((scan(bytes).state == State::more) == allowed);
    }
  }
}

TEST_CASE("head scanner: the size limit holds to the byte", "[wire][head_scanner]") {
  const std::string head = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::size_t n = head.size();
  const Outcome too_large{State::error, 0, HeadError::too_large};
  const Outcome complete{State::complete, n, HeadError::none};
  check_every_split(head, too_large, {n - 1, 8});
  check_every_split(head, complete, {n, 8});
  check_every_split(head, complete, {n + 1, 8});
  CHECK(scan(head.substr(0, n - 1), {n, 8}).state == State::more);
  // No more bytes can help a head that has filled its limit.
  CHECK(scan(head.substr(0, n - 1), {n - 1, 8}) == too_large);
  CHECK(scan(std::string(100, 'a'), {100, 8}) == too_large);
  CHECK(scan(std::string(5000, 'a'), {100, 8}) == too_large);
  CHECK(scan(std::string(99, 'a'), {100, 8}).state == State::more);
  CHECK(scan("G", {0, 8}) == too_large);
}

TEST_CASE("head scanner: the limit of fields holds to the field", "[wire][head_scanner]") {
  const auto head = [](int fields) {
    std::string out = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < fields; ++i) out += "X: 1\r\n";
    return out + "\r\n";
  };
  for (const int fields : {7, 8}) {
    check_every_split(head(fields), {State::complete, head(fields).size(), HeadError::none});
  }
  check_every_split(head(9), {State::error, 0, HeadError::too_many_fields});
  CHECK(scan("GET / HTTP/1.1\r\n\r\n", {100, 0}).state == State::complete);
  CHECK(scan("GET / HTTP/1.1\r\nX", {100, 0}).error == HeadError::too_many_fields);
}

TEST_CASE("head scanner: an end stays an end", "[wire][head_scanner]") {
  HeadScanner done(kLimits);
  CHECK(done.feed("GET / HTTP/1.1\r\n\r\n") == State::complete);
  CHECK(done.feed("\n") == State::complete);
  CHECK(done.size() == 18);
  HeadScanner bad(kLimits);
  CHECK(bad.feed("\n") == State::error);
  CHECK(bad.feed("GET / HTTP/1.1\r\n\r\n") == State::error);
}

TEST_CASE("head scanner: an answer's lines may end in LF, and its values hold controls",
          "[wire][head_scanner]") {
  const auto scan_answer = [](std::string_view bytes, std::size_t piece) {
    HeadScanner scanner(kLimits, HeadScanner::Of::answer);
    State state = State::more;
    for (std::size_t at = 0; at < bytes.size() && state == State::more; at += piece)
      state = scanner.feed(bytes.substr(at, piece));
    return outcome(scanner, state);
  };
  const std::string good =
      GENERATE(as<std::string>(), "HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\nA: b\n\r\n",
               "HTTP/1.1 200 OK\nA: b\r\n\n", "HTTP/1.1 2\x01 \x7f\r\nA: \x1b[2J\tb\r\n\r\n");
  const std::string bad =
      GENERATE(as<std::string>(), "HTTP/1.1 200 OK\rA", "HTTP/1.1 200 OK\nA: \0"s,
               "HTTP/1.1 200 OK\nA: b\n ", "HTTP/1.1 200 OK\r\r");
  for (std::size_t piece = 1; piece <= good.size(); ++piece) {
    CHECK(scan_answer(good + "next", piece) ==
          Outcome{State::complete, good.size(), HeadError::none});
    CHECK(scan_answer(bad, piece).error == HeadError::malformed);
  }
}

}  // namespace
}  // namespace fairlead::wire
