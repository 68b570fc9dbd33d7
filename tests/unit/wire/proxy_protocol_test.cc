#include "proxy/wire/proxy_protocol.h"

#include <string>

#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

using namespace std::string_literals;
using State = ProxyHeader::State;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string v2(int version_command, int family, std::size_t length, const std::string& rest) {
  std::string out = kSignature;
  out += static_cast<char>(version_command);
  out += static_cast<char>(family);
  out += static_cast<char>(length >> 8);
  out += static_cast<char>(length & 0xff);
  return out + rest;
}

const std::string kInet = "\xc0\x00\x02\x01\xc6\x33\x64\x02\x12\x34\x01\xbb"s;
const std::string kInet6 = "\x20\x01\x0d\xb8" + std::string(11, '\0') + "\x01" +
                           "\x20\x01\x0d\xb8" + std::string(11, '\0') + "\x02" + "\x12\x34\x01\xbb";

// A TLV that says nothing, of this size.
std::string noop(std::size_t size) {
  const std::size_t value = size - 3;
  return "\x04"s + static_cast<char>(value >> 8) + static_cast<char>(value & 0xff) +
         std::string(value, 't');
}

// Complete with the whole text, more with any part of it, and nothing behind it matters.
ProxyHeader check_complete(const std::string& text) {
  CAPTURE(text);
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK(parse_proxy_header(std::string_view(text).substr(0, size)).state == State::more);
  }
  const ProxyHeader header = parse_proxy_header(text + "GET / HTTP/1.1\r\n\r\n");
  CHECK(header.state == State::complete);
  CHECK(header.size == text.size());
  CHECK(parse_proxy_header(text).state == State::complete);
  return header;
}

// An error with the whole text and whatever follows; with a part of it, an error or more, never
// complete.
void check_error(const std::string& text) {
  CAPTURE(text);
  CHECK(parse_proxy_header(text).state == State::error);
  CHECK(parse_proxy_header(text + "x\r\n").state == State::error);
  bool failed = false;
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const State state = parse_proxy_header(std::string_view(text).substr(0, size)).state;
    CHECK(state != State::complete);
    if (failed) CHECK(state == State::error);
    failed = state == State::error;
  }
}

conf::Ip ip(std::string_view text) {
  return conf::Ip::parse(text).value();
}

TEST_CASE("PROXY v1: the ends of a connection", "[wire][proxy_protocol]") {
  const auto v4 = check_complete("PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n");
  REQUIRE(v4.ends);
  CHECK(v4.ends->source == ip("192.0.2.1"));
  CHECK(v4.ends->destination == ip("198.51.100.2"));
  CHECK(v4.ends->source_port == 4660);
  CHECK(v4.ends->destination_port == 443);
  const auto v6 = check_complete("PROXY TCP6 2001:db8::1 ::2 0 65535\r\n");
  REQUIRE(v6.ends);
  CHECK(v6.ends->source == ip("2001:db8::1"));
  CHECK(v6.ends->destination == ip("::2"));
  CHECK(v6.ends->source_port == 0);
  CHECK(v6.ends->destination_port == 65535);
}

TEST_CASE("PROXY v1: UNKNOWN tells nothing, whatever follows", "[wire][proxy_protocol]") {
  CHECK_FALSE(check_complete("PROXY UNKNOWN\r\n").ends);
  CHECK_FALSE(check_complete("PROXY UNKNOWN ffff:: anything 1 2\r\n").ends);
}

TEST_CASE("PROXY v1: what is none", "[wire][proxy_protocol]") {
  struct Row {
    const char* why;
    std::string text;
  };

  const auto row = GENERATE(values<Row>({
      {"a request", "GET / HTTP/1.1\r\n"},
      {"TLS", "\x16\x03\x01"},
      {"small letters", "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n"},
      {"a tab", "PROXY\tTCP4 192.0.2.1 192.0.2.2 1 2\r\n"},
      {"a leading space", " PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"},
      {"no family", "PROXY \r\n"},
      {"two spaces", "PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n"},
      {"another family", "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"},
      {"nearly unknown", "PROXY UNKNOWNS\r\n"},
      {"no addresses", "PROXY TCP4\r\n"},
      {"no destination", "PROXY TCP4 192.0.2.1\r\n"},
      {"one port", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"},
      {"an empty port", "PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n"},
      {"two spaces between ports", "PROXY TCP4 192.0.2.1 192.0.2.2 1  2\r\n"},
      {"a space behind", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"},
      {"three ports", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"},
      {"a port with a sign", "PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n"},
      {"a port with a zero first", "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"},
      {"a port too great", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n"},
      {"a port too long", "PROXY TCP4 192.0.2.1 192.0.2.2 1 100000\r\n"},
      {"a port of letters", "PROXY TCP4 192.0.2.1 192.0.2.2 1 x\r\n"},
      {"an address short of a byte", "PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n"},
      {"an address too great", "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"},
      {"a name", "PROXY TCP4 localhost 192.0.2.2 1 2\r\n"},
      {"IPv6 in TCP4", "PROXY TCP4 ::1 ::2 1 2\r\n"},
      {"IPv4 in TCP6", "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"},
      {"one of each", "PROXY TCP6 ::1 192.0.2.2 1 2\r\n"},
      {"brackets", "PROXY TCP6 [::1] ::2 1 2\r\n"},
      {"bare LF", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"},
      {"bare CR", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rx"},
      {"a NUL", "PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n"s},
      {"a tab inside", "PROXY TCP4 192.0.2.1 192.0.2.2 1\t2\r\n"},
      {"obs-text", "PROXY UNKNOWN \x80"},
  }));
  CAPTURE(row.why);
  check_error(row.text);
}

TEST_CASE("PROXY v1: 107 bytes and no more", "[wire][proxy_protocol]") {
  const auto line = [](std::size_t size) {
    const std::string start = "PROXY UNKNOWN ";
    return start + std::string(size - start.size() - 2, 'x') + "\r\n";
  };
  check_complete(line(106));
  check_complete(line(107));
  check_error(line(108));
  check_error("PROXY UNKNOWN " + std::string(200, 'x'));
}

TEST_CASE("PROXY v2: the ends of a connection", "[wire][proxy_protocol]") {
  for (const std::string& tlv : {""s, "\x04\x00\x01x"s, noop(508)}) {
    const auto v4 = check_complete(v2(0x21, 0x11, 12 + tlv.size(), kInet + tlv));
    REQUIRE(v4.ends);
    CHECK(v4.ends->source == ip("192.0.2.1"));
    CHECK(v4.ends->destination == ip("198.51.100.2"));
    CHECK(v4.ends->source_port == 0x1234);
    CHECK(v4.ends->destination_port == 443);
  }
  const auto v6 = check_complete(v2(0x21, 0x21, 36, kInet6));
  REQUIRE(v6.ends);
  CHECK(v6.ends->source == ip("2001:db8::1"));
  CHECK(v6.ends->destination == ip("2001:db8::2"));
  CHECK(v6.ends->source_port == 0x1234);
  CHECK(v6.ends->destination_port == 443);
}

TEST_CASE("PROXY v2: headers that tell nothing", "[wire][proxy_protocol]") {
  CHECK_FALSE(check_complete(v2(0x20, 0x00, 0, "")).ends);       // LOCAL
  CHECK_FALSE(check_complete(v2(0x20, 0x11, 12, kInet)).ends);   // LOCAL with addresses
  CHECK_FALSE(check_complete(v2(0x20, 0xff, 3, "abc")).ends);    // LOCAL: the family is ignored
  CHECK_FALSE(check_complete(v2(0x21, 0x00, 0, "")).ends);       // UNSPEC
  CHECK_FALSE(check_complete(v2(0x21, 0x00, 5, "abcde")).ends);  // UNSPEC and TLVs
  CHECK_FALSE(check_complete(v2(0x21, 0x12, 12, kInet)).ends);   // UDP over IPv4
  CHECK_FALSE(check_complete(v2(0x21, 0x22, 36, kInet6)).ends);  // UDP over IPv6
  CHECK_FALSE(check_complete(v2(0x21, 0x31, 216, std::string(216, 'p'))).ends);  // unix
}

TEST_CASE("PROXY v2: what is none", "[wire][proxy_protocol]") {
  struct Row {
    const char* why;
    std::string text;
  };

  const auto row = GENERATE(values<Row>({
      {"another signature", "\r\n\r\n\0\r\nQUIX\n"s},
      {"an empty line and a request", "\r\nGET / HTTP/1.1\r\n"},
      {"version 1", v2(0x11, 0x11, 12, kInet)},
      {"version 3", v2(0x31, 0x11, 12, kInet)},
      {"an unknown command", v2(0x22, 0x11, 12, kInet)},
      {"an unknown family", v2(0x21, 0x41, 12, kInet)},
      {"an unknown transport", v2(0x21, 0x13, 12, kInet)},
      {"IPv4 short of a byte", v2(0x21, 0x11, 11, kInet)},
      {"IPv6 short of a byte", v2(0x21, 0x21, 35, kInet6)},
      {"unix short of a byte", v2(0x21, 0x31, 215, std::string(215, 'p'))},
      {"too long", v2(0x21, 0x11, 521, kInet + noop(509))},
      {"LOCAL, too long", v2(0x20, 0x00, 521, std::string(521, 't'))},
      {"as long as it goes", v2(0x21, 0x11, 65535, kInet)},
  }));
  CAPTURE(row.why);
  check_error(row.text);
}

TEST_CASE("PROXY v2: 16 + 520 bytes and no more", "[wire][proxy_protocol]") {
  check_complete(v2(0x21, 0x11, 519, kInet + noop(507)));
  check_complete(v2(0x21, 0x11, 520, kInet + noop(508)));
  CHECK(parse_proxy_header(v2(0x21, 0x11, 521, "")).state == State::error);
}

}  // namespace
}  // namespace fairlead::wire
