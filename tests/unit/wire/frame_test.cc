#include "proxy/wire/frame.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "tests/support/catch.h"
#include "tests/support/frame_maker.h"

namespace fairlead::wire {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using test::make;

constexpr std::array<std::uint8_t, 4> kKey{0x37, 0xFA, 0x21, 0x3D};

std::string text(const ControlFrame& frame) {
  return {frame.bytes.data(), frame.size};
}

std::string encoded(const FrameHeader& header) {
  std::array<char, kMaxFrameHeader> out{};
  return {out.data(), encode_header(header, out)};
}

FrameHeader decoded(std::string_view bytes) {
  FrameHeader header;
  REQUIRE(decode_header(bytes, header) != 0);
  return header;
}

std::string masked(std::string payload, std::uint64_t offset = 0) {
  apply_mask(payload, kKey, offset);
  return payload;
}

std::string payload_of(const ControlFrame& frame) {
  return std::string(control_payload(decoded(text(frame)), frame.span()).view());
}

}  // namespace

TEST_CASE("frame: the examples of RFC 6455 5.7 are decoded", "[wire][frame]") {
  struct Row {
    const char* why;
    std::string_view bytes;
    bool fin;
    unsigned opcode;
    bool masked;
    std::uint64_t length;
    std::size_t size;
  };

  const auto row = GENERATE(values<Row>({
      {"a text", "\x81\x05Hello", true, 1, false, 5, 2},
      {"a masked text", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", true, 1, true, 5, 6},
      {"a first fragment", "\x01\x03Hel", false, 1, false, 3, 2},
      {"a last fragment", "\x80\x02lo", true, 0, false, 2, 2},
      {"a ping", "\x89\x05Hello", true, 9, false, 5, 2},
      {"a masked pong", "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", true, 10, true, 5, 6},
      {"256 bytes", "\x82\x7E\x01\x00"sv, true, 2, false, 256, 4},
      {"64 KiB", "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"sv, true, 2, false, 65536, 10},
  }));
  CAPTURE(row.why);
  const FrameHeader header = decoded(row.bytes);
  CHECK(header.fin == row.fin);
  CHECK(header.opcode == row.opcode);
  CHECK(header.masked == row.masked);
  CHECK(header.length == row.length);
  CHECK(header.size == row.size);
  CHECK(header.minimal);
  CHECK(header.rsv == 0);
  CHECK(header.mask == (row.masked ? kKey : std::array<std::uint8_t, 4>{}));
}

TEST_CASE("frame: a header is written as it was read", "[wire][frame]") {
  const std::uint64_t length = GENERATE(values<std::uint64_t>(
      {0, 1, 125, 126, 127, 65535, 65536, (1ULL << 63) - 1, 1ULL << 63, UINT64_MAX}));
  for (unsigned bits = 0; bits < 512; ++bits) {
    FrameHeader header;
    header.fin = (bits & 256) != 0;
    header.rsv = static_cast<std::uint8_t>(bits >> 5 & 7);
    header.opcode = static_cast<std::uint8_t>(bits & 15);
    header.masked = (bits & 16) != 0;
    if (header.masked) header.mask = kKey;
    header.length = length;

    const std::string bytes = encoded(header);
    const FrameHeader again = decoded(bytes);
    const bool same = again.fin == header.fin && again.rsv == header.rsv &&
                      again.opcode == header.opcode && again.masked == header.masked &&
                      again.mask == header.mask && again.length == length &&
                      again.size == bytes.size() && again.minimal;
    if (!same) FAIL("bits " << bits);
  }
}

TEST_CASE("frame: an incomplete header asks for more at every byte", "[wire][frame]") {
  const std::string bytes =
      GENERATE(values<std::string>({make({.payload = "x"}), make({.payload = "x", .masked = true}),
                                    make({.length_bytes = 2, .claim = 300}),
                                    make({.masked = true, .length_bytes = 2, .claim = 300}),
                                    make({.length_bytes = 8, .claim = 70000}),
                                    make({.masked = true, .length_bytes = 8, .claim = 70000})}));
  const std::size_t size = decoded(bytes).size;
  for (std::size_t n = 0; n < size; ++n) {
    FrameHeader header;
    CHECK(decode_header(std::string_view(bytes).substr(0, n), header) == 0);
  }
  CHECK(decoded(std::string_view(bytes).substr(0, size)).size == size);
}

TEST_CASE("frame: a length in a longer form than needed is told apart", "[wire][frame]") {
  struct Row {
    unsigned length_bytes;
    std::uint64_t length;
    bool minimal;
  };

  const auto row = GENERATE(values<Row>({{2, 1, false},
                                         {2, 125, false},
                                         {2, 126, true},
                                         {2, 65535, true},
                                         {8, 1, false},
                                         {8, 126, false},
                                         {8, 65535, false},
                                         {8, 65536, true},
                                         {8, 1ULL << 63, true}}));
  const FrameHeader header = decoded(make({.length_bytes = row.length_bytes, .claim = row.length}));
  CHECK(header.length == row.length);
  CHECK(header.minimal == row.minimal);
}

TEST_CASE("frame: a mask is its own inverse, from any offset and in any pieces", "[wire][frame]") {
  CHECK(masked("Hello") == "\x7f\x9f\x4d\x51\x58");
  std::string plain;
  for (char c = 'A'; plain.size() < 40; ++c) plain += c;
  const std::string whole = masked(plain);
  CHECK(masked(whole) == plain);
  for (std::size_t cut = 0; cut <= plain.size(); ++cut) {
    CHECK(masked(plain.substr(0, cut)) + masked(plain.substr(cut), cut) == whole);
  }
  CHECK(masked(plain, (1ULL << 62) + 3) == masked(plain, 3));
}

TEST_CASE("frame: control frames for a client are plain, for a server masked", "[wire][frame]") {
  CHECK(text(make_control(Opcode::ping, "Hello"sv, {})) == "\x89\x05Hello");
  CHECK(text(make_control(Opcode::pong, "Hello"sv, {true, kKey})) ==
        "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
  CHECK(text(make_control(Opcode::ping, {}, {})) == "\x89\x00"s);
}

TEST_CASE("frame: a control payload is cut at 125 bytes", "[wire][frame]") {
  const std::size_t size = GENERATE(values<std::size_t>({124, 125, 126, 1000}));
  const bool on = GENERATE(false, true);
  const std::string payload(size, 'p');
  const ControlFrame frame = make_control(Opcode::ping, payload, {on, kKey});
  const std::string want = payload.substr(0, kMaxControlPayload);
  CHECK(text(frame) == make({.opcode = 9, .payload = want, .masked = on}));
  CHECK(frame.size <= kMaxControlFrame);
  CHECK(payload_of(frame) == want);
}

TEST_CASE("frame: a Close carries its code and reason", "[wire][frame]") {
  CHECK(text(make_close(0, "ignored", {})) == "\x88\x00"s);
  CHECK(text(make_close(1000, "", {})) == "\x88\x02\x03\xe8");
  CHECK(text(make_close(1009, "message too big", {})) == "\x88\x11\x03\xf1message too big");
  CHECK(text(make_close(4999, "x", {true, kKey})) ==
        make({.opcode = 8, .payload = "\x13\x87x", .masked = true}));
}

TEST_CASE("frame: a Close's reason is cut between two characters", "[wire][frame]") {
  const std::string_view last =
      GENERATE("z"sv, "\xC3\xA9"sv, "\xE2\x82\xAC"sv, "\xF0\x9F\x98\x80"sv);
  for (std::size_t before = 117; before <= 125; ++before) {
    const std::string reason = std::string(before, 'a') + std::string(last);
    const std::string payload = payload_of(make_close(1001, reason, {true, kKey}));
    const CloseView close = parse_close(payload);
    const std::size_t want =
        reason.size() <= 123 ? reason.size() : std::min<std::size_t>(before, 123);
    CHECK(close.code == 1001);
    CHECK(close.reason == reason.substr(0, want));
    CHECK(is_utf8(close.reason));
  }
}

TEST_CASE("frame: a Close's payload is read back", "[wire][frame]") {
  CHECK(parse_close("").code == 0);
  CHECK(parse_close("\x03").code == 0);
  CHECK(parse_close("\x03\xE8").code == 1000);
  CHECK(parse_close("\x03\xE8").reason.empty());
  CHECK(parse_close("\xFF\xFFwhy").code == 65535);
  CHECK(parse_close("\xFF\xFFwhy").reason == "why");
}

TEST_CASE("frame: a control payload too long for one is cut, not overrun", "[wire][frame]") {
  const std::string bytes = make({.opcode = 9, .payload = std::string(300, 'p'), .masked = true});
  CHECK(control_payload(decoded(bytes), bytes).view() == std::string(125, 'p'));
}

TEST_CASE("frame: close codes that may be on the wire", "[wire][frame]") {
  const auto legal = [](unsigned code) {
    constexpr std::array kLow{1000, 1001, 1002, 1003, 1007, 1008,
                              1009, 1010, 1011, 1012, 1013, 1014};
    return std::find(kLow.begin(), kLow.end(), static_cast<int>(code)) != kLow.end() ||
           (code >= 3000 && code <= 4999);
  };
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    if (is_close_code_on_wire(static_cast<std::uint16_t>(code)) != legal(code)) FAIL(code);
  }
}

}  // namespace fairlead::wire
