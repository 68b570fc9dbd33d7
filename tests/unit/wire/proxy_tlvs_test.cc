#include "proxy/wire/proxy_tlvs.h"

#include <string>

#include "proxy/wire/proxy_protocol.h"
#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

using namespace std::string_literals;
using State = ProxyHeader::State;

std::string tlv(int type, const std::string& value) {
  return ""s + static_cast<char>(type) + static_cast<char>(value.size() >> 8) +
         static_cast<char>(value.size() & 0xff) + value;
}

// PP2_TYPE_SSL: what the client has, the result of its verification (0: good), sub-TLVs.
std::string ssl(int client, const std::string& more = "") {
  return tlv(0x20, ""s + static_cast<char>(client) + "\0\0\0\0"s + more);
}

// PROXY over IPv4.
std::string header(const std::string& tlvs, int command = 0x21) {
  const std::string rest = "\xc0\x00\x02\x01\xc6\x33\x64\x02\x12\x34\x01\xbb"s + tlvs;
  return "\r\n\r\n\0\r\nQUIT\n"s + static_cast<char>(command) + "\x11" +
         static_cast<char>(rest.size() >> 8) + static_cast<char>(rest.size() & 0xff) + rest;
}

// With the right checksum, `wrong` added to it.
std::string with_checksum(const std::string& before, const std::string& after, unsigned wrong = 0) {
  std::string text = header(before + tlv(3, "\0\0\0\0"s) + after);
  const std::size_t at = 16 + 12 + before.size() + 3;
  const std::uint32_t sum = crc32c(text) + wrong;
  for (std::size_t i = 0; i < 4; ++i) text[at + i] = static_cast<char>(sum >> (24 - 8 * i));
  return text;
}

// The header's answer, the same whatever follows, and "more" at every byte before its end.
ProxyHeader parse(const std::string& text) {
  CAPTURE(text);
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    REQUIRE(parse_proxy_header(std::string_view(text).substr(0, size)).state == State::more);
  }
  const ProxyHeader whole = parse_proxy_header(text);
  const ProxyHeader followed = parse_proxy_header(text + "GET / HTTP/1.1\r\n\r\n");
  CHECK(followed.state == whole.state);
  CHECK(followed.size == whole.size);
  CHECK(followed.tls == whole.tls);
  if (whole.state == State::complete) CHECK(whole.size == text.size());
  return whole;
}

}  // namespace

TEST_CASE("crc32c: the values of RFC 3720 B.4", "[wire][proxy_protocol]") {
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c("123456789", 4) == crc32c("1234\0\0\0\0"s + "9"));
}

TEST_CASE("PROXY v2: PP2_TYPE_SSL says whether the client came over TLS",
          "[wire][proxy_protocol]") {
  CHECK_FALSE(parse(header("")).tls);
  CHECK(parse(header(ssl(1))).tls);
  CHECK(parse(header(ssl(7))).tls);  // with a certificate
  CHECK_FALSE(parse(header(ssl(0))).tls);
  CHECK_FALSE(parse(header(ssl(6))).tls);
  const std::string sub = tlv(0x21, "TLSv1.3") + tlv(0x22, "localhost") + tlv(0x7f, "");
  CHECK(parse(header(tlv(1, "http/1.1") + ssl(1, sub) + tlv(4, "") + tlv(0xea, "vpce-1"))).tls);
  // LOCAL is the proxy's own connection: nothing of the header counts.
  CHECK_FALSE(parse(header(ssl(1), 0x20)).tls);
  CHECK(parse(header("\x20\xff", 0x20)).state == State::complete);
}

TEST_CASE("PROXY v2: a checksum that is there has to be right", "[wire][proxy_protocol]") {
  for (const std::string& before : {""s, tlv(4, "xyz")}) {
    CHECK(parse(with_checksum(before, "")).state == State::complete);
    CHECK(parse(with_checksum(before, ssl(1))).tls);
    CHECK(parse(with_checksum(before, ssl(1), 1)).state == State::error);
  }
  const std::string good = with_checksum("", ssl(1));
  constexpr std::size_t kType = 28;  // of the checksum: with another there is none
  for (std::size_t at = 16; at < good.size(); ++at) {
    if (at == kType) continue;
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    CAPTURE(at);
    CHECK(parse_proxy_header(bad).state == State::error);
  }
}

TEST_CASE("PROXY v2: TLVs that are none", "[wire][proxy_protocol]") {
  struct Row {
    const char* why;
    std::string tlvs;
  };

  const auto row = GENERATE(values<Row>({
      {"a type alone", "\x04"},
      {"half a length", "\x04\0"s},
      {"no value", "\x04\0\x01"s},
      {"a value cut short",
       "\x04\0\x05"
       "abcd"s},
      {"the longest",
       "\xea\xff\xff"
       "abcd"s},
      {"one behind a good one", tlv(4, "abc") + "\x01"},
      {"SSL without its fixed part", tlv(0x20, "\x01\0\0\0"s)},
      {"SSL that is empty", tlv(0x20, "")},
      {"a sub-TLV cut short", ssl(1, "\x21\0\x08TLSv1.3"s)},
      {"a sub-TLV's type alone", ssl(1, "\x21")},
      {"a sub-TLV that reaches into the next TLV", ssl(1, "\x21\0\x03"s) + tlv(4, "abc")},
      {"SSL twice", ssl(1) + ssl(1)},
      {"a checksum of three bytes", tlv(3, "abc")},
      {"a checksum that is wrong", tlv(3, "abcd")},
  }));
  CAPTURE(row.why);
  CHECK(parse(header(row.tlvs)).state == State::error);
}

}  // namespace fairlead::wire
