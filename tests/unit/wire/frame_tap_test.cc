#include "proxy/wire/frame_tap.h"

#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

std::string frame(FrameHeader header, std::string payload) {
  header.length = payload.size();
  std::array<char, kMaxFrameHeader> bytes{};
  const std::size_t size = encode_header(header, bytes);
  if (header.masked) apply_mask(payload, header.mask);
  return std::string(bytes.data(), size) + payload;
}

FrameHeader header(bool fin, std::uint8_t rsv, std::uint8_t opcode, bool masked = false) {
  return {fin, rsv, opcode, masked, 0, {1, 2, 3, 4}};
}

// "fin rsv opcode length 'bytes'" of each, the stream cut at these places.
std::vector<std::string> seen(FrameTap tap, std::string_view stream,
                              std::vector<std::size_t> cuts = {}) {
  std::vector<std::string> all;
  std::size_t at = 0;
  cuts.push_back(stream.size());
  for (const std::size_t cut : cuts) {
    tap.feed(stream.substr(at, cut - at), [&](const FrameHeader& one, std::string_view bytes) {
      all.push_back(std::to_string(one.fin) + " " + std::to_string(one.rsv) + " " +
                    std::to_string(one.opcode) + " " + std::to_string(one.length) + " '" +
                    std::string(bytes) + "'");
    });
    at = cut;
  }
  return all;
}

std::string stream() {
  return frame(header(true, 0, 1, true), "hello") + frame(header(false, 4, 2), "") +
         frame(header(true, 0, 9), "p") + frame(header(true, 0, 0, true), std::string(300, 'x')) +
         frame(header(true, 7, 15), std::string(70'000, 'y')) +
         frame(header(true, 0, 8), "\x03\xe8");
}

}  // namespace

TEST_CASE("tap: each frame once, with the beginning of its payload", "[wire][tap]") {
  const std::vector<std::string> wanted{"1 0 1 5 'hell'",      "0 4 2 0 ''",
                                        "1 0 9 1 'p'",         "1 0 0 300 'xxxx'",
                                        "1 7 15 70000 'yyyy'", "1 0 8 2 '\x03\xe8'"};
  const std::string text = stream();
  REQUIRE(seen(FrameTap(0, 4), text) == wanted);
  for (std::size_t cut = 0; cut < 400; ++cut)
    REQUIRE(seen(FrameTap(0, 4), text, {cut, cut + 1, cut + 3}) == wanted);
  // What is left of a frame nobody saw the beginning of is passed over.
  REQUIRE(seen(FrameTap(7, 4), "payload" + text) == wanted);
  REQUIRE(seen(FrameTap(7, 4), "payload" + text, {3, 7, 8}) == wanted);
}

TEST_CASE("tap: as many bytes as are wanted, at n-1, n and n+1", "[wire][tap]") {
  const std::string text = frame(header(true, 0, 2, true), "hello");
  REQUIRE(seen(FrameTap(0, 0), text) == std::vector<std::string>{"1 0 2 5 ''"});
  REQUIRE(seen(FrameTap(0, 4), text) == std::vector<std::string>{"1 0 2 5 'hell'"});
  REQUIRE(seen(FrameTap(0, 5), text) == std::vector<std::string>{"1 0 2 5 'hello'"});
  REQUIRE(seen(FrameTap(0, 6), text) == std::vector<std::string>{"1 0 2 5 'hello'"});
  // Told as soon as they are there, not when the frame ends.
  REQUIRE(seen(FrameTap(0, 0), text.substr(0, 6)).size() == 1);
  REQUIRE(seen(FrameTap(0, 2), text.substr(0, 7)).empty());
  REQUIRE(seen(FrameTap(0, 2), text.substr(0, 8)).size() == 1);
}

TEST_CASE("tap: an unmasked length of 2^63 is no trouble", "[wire][tap]") {
  const std::string huge = std::string("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10) + "abcdef";
  REQUIRE(seen(FrameTap(0, 3), huge) ==
          std::vector<std::string>{"1 0 2 18446744073709551615 'abc'"});
}

}  // namespace fairlead::wire
