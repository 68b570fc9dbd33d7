// Past 400 lines on purpose: one table of good and one of bad requests, read side by side.
// Requests: every family of request smuggling has its rows here, each with the reason it is
// refused. Answers are in head_parser_response_test.cc.

#include "proxy/wire/head_parser.h"

#include <string>

#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

using namespace std::string_literals;
using Kind = Framing::Kind;

HeadError parse(const std::string& head) {
  RequestHead out;
  return parse_request(head, out);
}

HeadError with_line(const std::string& line) {
  return parse(line + "\r\nHost: a\r\n\r\n");
}

// `fields` ends in CRLF.
HeadError with_fields(const std::string& fields) {
  return parse("POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
}

TEST_CASE("request: parts are views into the head", "[wire][head_parser]") {
  const std::string head =
      "GET /chat/room?x=1&y HTTP/1.1\r\nHost: example.com:8080\r\nX-Empty:\r\n"
      "X-Tab:\t a\tb \t\r\nCookie: \x80\xff\r\n\r\n";
  RequestHead out;
  out.fields.add("stale", "from the head before");
  REQUIRE(parse_request(head, out) == HeadError::none);
  CHECK(out.method == "GET");
  CHECK(out.target == "/chat/room?x=1&y");
  CHECK(out.minor_version == 1);
  CHECK(out.host == "example.com:8080");
  CHECK(out.path == "/chat/room");
  CHECK(out.query == "?x=1&y");
  CHECK(out.fields.size() == 4);
  CHECK(out.fields.get("x-empty").empty());
  CHECK(out.fields.get("X-Tab") == "a\tb");
  CHECK(out.fields.get("Cookie") == "\x80\xff");
  CHECK(request_framing(out).kind == Kind::none);
}

TEST_CASE("request: the forms of a target", "[wire][head_parser]") {
  struct Row {
    std::string line, host_field, host, path, query;
  };

  const auto row = GENERATE(values<Row>({
      {"GET / HTTP/1.1", "a", "a", "/", ""},
      {"GET /? HTTP/1.1", "a", "a", "/", "?"},
      {"GET //x HTTP/1.1", "a", "a", "//x", ""},
      {"GET /x?y?z HTTP/1.1", "a", "a", "/x", "?y?z"},
      {"GET /%00|\"<>^`{}\\ HTTP/1.1", "a", "a", "/%00|\"<>^`{}\\", ""},
      {"GET http://a/b HTTP/1.1", "a", "a", "/b", ""},
      {"GET HTTPS://A.b:443/b?c HTTP/1.1", "a.B:443", "A.b:443", "/b", "?c"},
      {"GET ws://a HTTP/1.1", "a", "a", "/", ""},
      {"GET wss://[::1]:80?q HTTP/1.1", "[::1]:80", "[::1]:80", "/", "?q"},
      {"GET http://a/http://b/ HTTP/1.1", "a", "a", "/http://b/", ""},
      {"OPTIONS * HTTP/1.1", "a", "a", "/", ""},
      {"OPTIONS /x HTTP/1.1", "a", "a", "/x", ""},
      {"M-SEARCH!#$%&'*+-.^_`|~ /x HTTP/1.1", "a", "a", "/x", ""},
  }));
  const std::string head = row.line + "\r\nHost: " + row.host_field + "\r\n\r\n";
  CAPTURE(head);
  RequestHead out;
  REQUIRE(parse_request(head, out) == HeadError::none);
  CHECK(out.host == row.host);
  CHECK(out.path == row.path);
  CHECK(out.query == row.query);
}

TEST_CASE("request: bad request lines", "[wire][head_parser]") {
  struct Row {
    const char* why;
    std::string line;
    HeadError error = HeadError::malformed;
  };

  const auto row = GENERATE(values<Row>({
      {"empty", ""},
      {"no target, no version", "GET"},
      {"no version: HTTP/0.9", "GET /"},
      {"empty version", "GET / "},
      {"no target", "GET HTTP/1.1"},
      {"two spaces before the target", "GET  / HTTP/1.1"},
      {"two spaces before the version", "GET /  HTTP/1.1"},
      {"a space after the version", "GET / HTTP/1.1 "},
      {"a tab for a space", "GET\t/ HTTP/1.1"},
      {"a tab before the version", "GET /\tHTTP/1.1"},
      {"a tab after the version", "GET / HTTP/1.1\t"},
      {"a leading space", " GET / HTTP/1.1"},
      {"a space in the target", "GET /a b HTTP/1.1"},
      {"a second request line's end", "GET / HTTP/1.1 HTTP/1.1"},
      {"an empty method", " / HTTP/1.1"},
      {"a method that is no token", "G(T / HTTP/1.1"},
      {"a method with a colon", "GET: / HTTP/1.1"},
      {"a method of obs-text", "G\x80T / HTTP/1.1"},
      {"a NUL in the method", "GE\0T / HTTP/1.1"s},
      {"a NUL in the target", "GET /\0 HTTP/1.1"s},
      {"a CR in the target", "GET /\r HTTP/1.1"},
      {"DEL in the target", "GET /\x7f HTTP/1.1"},
      {"obs-text in the target", "GET /\xc3\xa4 HTTP/1.1"},
      {"a fragment", "GET /x#y HTTP/1.1"},
      {"a target with no slash", "GET x HTTP/1.1"},
      {"a target that is a query", "GET ?x HTTP/1.1"},
      {"asterisk-form with GET", "GET * HTTP/1.1"},
      {"asterisk and more", "OPTIONS *x HTTP/1.1"},
      {"a backslash for the slash", "GET \\ HTTP/1.1"},
      {"CONNECT, authority-form", "CONNECT a:443 HTTP/1.1"},
      {"CONNECT, origin-form", "CONNECT / HTTP/1.1"},
      {"authority-form with GET", "GET a:443 HTTP/1.1"},
      {"an unknown scheme", "GET ftp://a/ HTTP/1.1"},
      {"a scheme with no slashes", "GET http:a HTTP/1.1"},
      {"a scheme with one slash", "GET http:/a HTTP/1.1"},
      {"no scheme", "GET ://a/ HTTP/1.1"},
      {"no authority", "GET http:/// HTTP/1.1"},
      {"no authority, a query", "GET http://?x HTTP/1.1"},
      {"user information", "GET http://u@a/ HTTP/1.1"},
      {"user information that looks like the host", "GET http://a:80@b/ HTTP/1.1"},
      {"a backslash in the authority", "GET http://a\\@b/ HTTP/1.1"},
      {"an absolute-form of another host", "GET http://b/ HTTP/1.1"},
      {"an absolute-form of another port", "GET http://a:80/ HTTP/1.1"},
      {"a version in small letters", "GET / http/1.1"},
      {"a version with no minor", "GET / HTTP/1"},
      {"a version of two digits", "GET / HTTP/1.10"},
      {"a version of two digits before the dot", "GET / HTTP/11.1"},
      {"a version with a sign", "GET / HTTP/+.1"},
      {"a version with a comma", "GET / HTTP/1,1"},
      {"another protocol", "GET / HTTQ/1.1"},
      {"a method of 33 characters", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1",
       HeadError::unsupported_method},
      {"a method of 10 KB", std::string(10'000, 'M') + " / HTTP/1.1",
       HeadError::unsupported_method},
      {"HTTP/0.9", "GET / HTTP/0.9", HeadError::unsupported_version},
      {"HTTP/1.2", "GET / HTTP/1.2", HeadError::unsupported_version},
      {"HTTP/2.0", "GET / HTTP/2.0", HeadError::unsupported_version},
      {"HTTP/2 with prior knowledge", "PRI * HTTP/2.0", HeadError::unsupported_version},
      {"HTTP/3.0", "GET / HTTP/3.0", HeadError::unsupported_version},
  }));
  CAPTURE(row.why, row.line);
  CHECK(with_line(row.line) == row.error);
}

TEST_CASE("request: Host once, and only a host", "[wire][head_parser]") {
  const auto with_host = [](const std::string& host) {
    return parse("GET / HTTP/1.1\r\nHost:" + host + "\r\n\r\n");
  };
  for (const char* good : {"a", " a", "\ta ", "a.example", "a.example.", "a_b.c-d~e", "192.0.2.1",
                           "192.0.2.1:80", "a:0", "a:", "[::1]:", "a:65535",
                           "xn--bcher-kva.example", "[::1]", "[::1]:443", "[2001:db8::1.2.3.4]"}) {
    CAPTURE(good);
    CHECK(with_host(good) == HeadError::none);
  }

  struct Row {
    const char* why;
    std::string host;
  };

  const auto row = GENERATE(values<Row>({
      {"empty", ""},
      {"blank", " \t "},
      {"no name", ":80"},
      {"a port of letters", "a:http"},
      {"a port with a sign", "a:+80"},
      {"a port too great", "a:65536"},
      {"a port too long", "a:000080"},
      {"two ports", "a:80:80"},
      {"a port with a path", "a:80/x"},
      {"a list", "a,b"},
      {"a list with a space", "a, b"},
      {"a space inside", "a b"},
      {"a tab inside", "a\tb"},
      {"user information", "u@a"},
      {"a path", "a/b"},
      {"a backslash", "a\\b"},
      {"a query", "a?b"},
      {"a fragment", "a#b"},
      {"percent-encoding", "a%2fb"},
      {"quotes", "\"a\""},
      {"obs-text", "\xc3\xa4"},
      {"markup", "<a>"},
      {"a NUL", "a\0b"s},
      {"an IPv6 address without brackets", "::1"},
      {"an open bracket", "[::1"},
      {"a closing bracket", "::1]"},
      {"nothing in brackets", "[]"},
      {"IPv4 in brackets", "[192.0.2.1]"},
      {"a name in brackets", "[a]"},
      {"IPvFuture", "[v1.a]"},
      {"a zone", "[fe80::1%25eth0]"},
      {"a zone, raw", "[fe80::1%eth0]"},
      {"something behind the brackets", "[::1]x"},
      {"brackets twice", "[::1][::1]"},
  }));
  CAPTURE(row.why, row.host);
  CHECK(with_host(row.host) == HeadError::malformed);
}

TEST_CASE("request: how often Host stands", "[wire][head_parser]") {
  CHECK(parse("GET / HTTP/1.1\r\n\r\n") == HeadError::malformed);
  CHECK(parse("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == HeadError::malformed);
  CHECK(parse("GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n") == HeadError::malformed);
  CHECK(parse("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n") == HeadError::malformed);
  CHECK(parse("GET http://a/ HTTP/1.1\r\n\r\n") == HeadError::malformed);
  CHECK(parse("GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n") == HeadError::malformed);
  CHECK(parse("GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == HeadError::malformed);
  CHECK(parse("GET / HTTP/1.0\r\nHost:\r\n\r\n") == HeadError::malformed);

  RequestHead out;
  CHECK(parse_request("GET / HTTP/1.0\r\n\r\n", out) == HeadError::none);
  CHECK(out.minor_version == 0);
  CHECK(out.host.empty());
  CHECK(parse_request("GET http://a/ HTTP/1.0\r\n\r\n", out) == HeadError::none);
  CHECK(out.host == "a");
}

TEST_CASE("request: bad fields", "[wire][head_parser]") {
  struct Row {
    const char* why;
    std::string fields;
  };

  const auto row = GENERATE(values<Row>({
      {"a space before the colon", "X : a\r\n"},
      {"a tab before the colon", "X\t: a\r\n"},
      {"no colon", "X\r\n"},
      {"no name", ": a\r\n"},
      {"a space in the name", "X Y: a\r\n"},
      {"a name that is no token", "X(Y): a\r\n"},
      {"a name in quotes", "\"X\": a\r\n"},
      {"a slash in the name", "X/Y: a\r\n"},
      {"obs-text in the name", "X\x80: a\r\n"},
      {"NUL in the name", "X\0: a\r\n"s},
      {"NUL in the value", "X: a\0b\r\n"s},
      {"a CR in the value", "X: a\rb\r\n"},
      {"CR CR LF", "X: a\r\r\n"},
      {"bare LF", "X: a\nY: b\r\n"},
      {"DEL in the value", "X: \x7f\r\n"},
      {"a vertical tab",
       "X: \x0b"
       "a\r\n"},
      {"obs-fold with a space", "X: a\r\n b\r\n"},
      {"obs-fold with a tab", "X: a\r\n\tb\r\n"},
      {"obs-fold that looks like a field", "X: a\r\n Y: b\r\n"},
      {"obs-fold of blanks", "X: a\r\n \r\n"},
      {"a leading space", " X: a\r\n"},
      {"a second head", "\r\nGET / HTTP/1.1\r\nHost: a\r\n"},
      {"a Connection longer than anybody's", "Connection: " + std::string(1025, 'a') + "\r\n"},
      {"many Connections", "Connection: " + std::string(1000, 'a') +
                               "\r\nConnection: " + std::string(25, ',') + "\r\n"},
  }));
  CAPTURE(row.why);
  CHECK(with_fields(row.fields) == HeadError::malformed);
}

TEST_CASE("request: the head must be whole and end where it ends", "[wire][head_parser]") {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  REQUIRE(parse(head) == HeadError::none);
  for (std::size_t size = 0; size < head.size(); ++size) {
    CHECK(parse(head.substr(0, size)) == HeadError::malformed);
  }
  CHECK(parse(head + "x") == HeadError::malformed);
  CHECK(parse("\r\n" + head) == HeadError::none);
  CHECK(parse("\r\n\r\n" + head) == HeadError::none);
  CHECK(parse("\r\n\r\n\r\n" + head) == HeadError::malformed);
  CHECK(parse("\n" + head) == HeadError::malformed);
  CHECK(with_fields("Connection: " + std::string(1024, 'a') + "\r\n") == HeadError::none);
}

TEST_CASE("request: a Content-Length that is read one way", "[wire][head_parser]") {
  struct Row {
    std::string value;
    std::uint64_t length;
  };

  const auto row = GENERATE(values<Row>({{"0", 0},
                                         {"5", 5},
                                         {"  17\t", 17},
                                         {"007", 7},
                                         {"9223372036854775806", 9223372036854775806U},
                                         {"9223372036854775807", 9223372036854775807U}}));
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\ncontent-LENGTH:" + row.value + "\r\n\r\n";
  RequestHead out;
  REQUIRE(parse_request(head, out) == HeadError::none);
  CHECK(request_framing(out).kind == Kind::length);
  CHECK(request_framing(out).length == row.length);
}

TEST_CASE("request: every other Content-Length", "[wire][head_parser][smuggling]") {
  struct Row {
    const char* why;
    std::string fields;
  };

  const auto row = GENERATE(values<Row>({
      {"empty", "Content-Length:\r\n"},
      {"a plus sign", "Content-Length: +5\r\n"},
      {"a minus sign", "Content-Length: -5\r\n"},
      {"minus nothing", "Content-Length: -0\r\n"},
      {"hexadecimal", "Content-Length: 0x5\r\n"},
      {"hexadecimal digits", "Content-Length: a\r\n"},
      {"an exponent", "Content-Length: 1e1\r\n"},
      {"a fraction", "Content-Length: 5.0\r\n"},
      {"a separator", "Content-Length: 1_000\r\n"},
      {"a list of equals", "Content-Length: 5, 5\r\n"},
      {"a list", "Content-Length: 5, 6\r\n"},
      {"a list with an empty item", "Content-Length: 5,\r\n"},
      {"a space inside", "Content-Length: 5 6\r\n"},
      {"a tab inside", "Content-Length: 5\t6\r\n"},
      {"letters behind", "Content-Length: 5b\r\n"},
      {"quotes", "Content-Length: \"5\"\r\n"},
      {"a semicolon", "Content-Length: 5;\r\n"},
      {"a NUL behind", "Content-Length: 5\0\r\n"s},
      {"a no-break space",
       "Content-Length: \xa0"
       "5\r\n"},
      {"Arabic digits", "Content-Length: \xd9\xa5\r\n"},
      {"2^63", "Content-Length: 9223372036854775808\r\n"},
      {"2^64 - 1", "Content-Length: 18446744073709551615\r\n"},
      {"2^64", "Content-Length: 18446744073709551616\r\n"},
      {"2^64 + 5", "Content-Length: 18446744073709551621\r\n"},
      {"more digits than a number has", "Content-Length: 00000000000000000005\r\n"},
      {"many digits", "Content-Length: " + std::string(400, '9') + "\r\n"},
      {"twice the same", "Content-Length: 5\r\nContent-Length: 5\r\n"},
      {"twice", "Content-Length: 5\r\nContent-Length: 0\r\n"},
      {"twice, in other case", "Content-Length: 5\r\ncontent-length: 6\r\n"},
      {"twice, one empty", "Content-Length: 5\r\nContent-Length:\r\n"},
      {"an underscore: the same to CGI", "Content_Length: 5\r\n"},
      {"an underscore beside the true one", "Content-Length: 0\r\ncontent_length: 5\r\n"},
      {"a dot", "Content.Length: 5\r\n"},
      {"a space before the colon", "Content-Length : 5\r\n"},
      {"a tab before the colon", "Content-Length\t: 5\r\n"},
      {"a folded value", "Content-Length:\r\n 5\r\n"},
      {"a fold before it", "X: a\r\n Content-Length: 5\r\n"},
  }));
  CAPTURE(row.why);
  CHECK(with_fields(row.fields) == HeadError::malformed);
}

TEST_CASE("request: the chunked coding", "[wire][head_parser]") {
  for (const char* value : {"chunked", "Chunked", "  CHUNKED \t"}) {
    const std::string head =
        "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:"s + value + "\r\n\r\n";
    RequestHead out;
    REQUIRE(parse_request(head, out) == HeadError::none);
    CHECK(request_framing(out).kind == Kind::chunked);
  }
}

TEST_CASE("request: every other Transfer-Encoding", "[wire][head_parser][smuggling]") {
  struct Row {
    const char* why;
    std::string fields;
    HeadError error = HeadError::malformed;
  };

  constexpr HeadError kUnsupported = HeadError::unsupported_transfer_coding;
  const auto row = GENERATE(values<Row>({
      {"another coding", "Transfer-Encoding: gzip\r\n", kUnsupported},
      {"identity, gone since RFC 7230", "Transfer-Encoding: identity\r\n", kUnsupported},
      {"another coding first", "Transfer-Encoding: gzip, chunked\r\n", kUnsupported},
      {"an unknown one first", "Transfer-Encoding: x,chunked\r\n", kUnsupported},
      {"nearly chunked", "Transfer-Encoding: xchunked\r\n", kUnsupported},
      {"nearly chunked, longer", "Transfer-Encoding: chunkedx\r\n", kUnsupported},
      {"shorter", "Transfer-Encoding: chunk\r\n", kUnsupported},
      {"cow", "Transfer-Encoding: cow\r\n", kUnsupported},
      {"single quotes are token characters", "Transfer-Encoding: 'chunked'\r\n", kUnsupported},
      {"empty", "Transfer-Encoding:\r\n"},
      {"chunked twice", "Transfer-Encoding: chunked, chunked\r\n"},
      {"chunked not last", "Transfer-Encoding: chunked, identity\r\n"},
      {"chunked first and last", "Transfer-Encoding: chunked, gzip, chunked\r\n"},
      {"an empty item behind", "Transfer-Encoding: chunked,\r\n"},
      {"an empty item before", "Transfer-Encoding: ,chunked\r\n"},
      {"quotes", "Transfer-Encoding: \"chunked\"\r\n"},
      {"a parameter", "Transfer-Encoding: chunked;q=1\r\n"},
      {"a semicolon", "Transfer-Encoding: chunked;\r\n"},
      {"two words", "Transfer-Encoding: x chunked\r\n"},
      {"a word behind", "Transfer-Encoding: chunked x\r\n"},
      {"a vertical tab",
       "Transfer-Encoding: \x0b"
       "chunked\r\n"},
      {"a form feed behind", "Transfer-Encoding: chunked\x0c\r\n"},
      {"a NUL behind", "Transfer-Encoding: chunked\0\r\n"s},
      {"a no-break space",
       "Transfer-Encoding: \xa0"
       "chunked\r\n"},
      {"a byte order mark",
       "Transfer-Encoding: \xef\xbb\xbf"
       "chunked\r\n"},
      {"a CR before it", "Transfer-Encoding:\rchunked\r\n"},
      {"a bare LF before it", "X: a\nTransfer-Encoding: chunked\r\n"},
      {"twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
      {"twice, one harmless", "Transfer-Encoding: chunked\r\nTransfer-encoding: identity\r\n"},
      {"twice, the other way", "Transfer-encoding: x\r\nTransfer-Encoding: chunked\r\n"},
      {"an underscore", "Transfer_Encoding: chunked\r\n"},
      {"an underscore beside a length", "Content-Length: 5\r\ntransfer_encoding: chunked\r\n"},
      {"a dot", "Transfer.Encoding: chunked\r\n"},
      {"a space before the colon", "Transfer-Encoding : chunked\r\n"},
      {"a tab before the colon", "Transfer-Encoding\t: chunked\r\n"},
      {"a space in the name", "Transfer Encoding: chunked\r\n"},
      {"a space before the name", " Transfer-Encoding: chunked\r\n"},
      {"a folded value", "Transfer-Encoding:\r\n chunked\r\n"},
      {"a folded list", "Transfer-Encoding: x,\r\n\tchunked\r\n"},
      {"behind a fold", "X: a\r\n Transfer-Encoding: chunked\r\n"},
      {"with a length", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"},
      {"with a length behind", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"},
      {"with a length of nothing", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"},
      {"with a bad length", "Transfer-Encoding: chunked\r\nContent-Length: x\r\n"},
      {"another coding with a length", "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"},
  }));
  CAPTURE(row.why);
  CHECK(with_fields(row.fields) == row.error);
}

TEST_CASE("request: no transfer coding in HTTP/1.0", "[wire][head_parser][smuggling]") {
  const auto with_coding = [](const char* coding) {
    return parse("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: "s + coding + "\r\n\r\n");
  };
  CHECK(with_coding("chunked") == HeadError::malformed);
  CHECK(with_coding("gzip") == HeadError::malformed);
  CHECK(parse("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n") == HeadError::none);
}

}  // namespace
}  // namespace fairlead::wire
