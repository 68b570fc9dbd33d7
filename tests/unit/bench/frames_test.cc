#include "tests/bench/frames.h"

#include <vector>

#include "tests/support/catch.h"

namespace fairlead::bench {
namespace {

struct Seen {
  unsigned opcode;
  std::uint64_t length;
  std::string payload;  // of control frames

  bool operator==(const Seen&) const = default;
};

std::vector<Seen> read_in_two(std::string_view bytes, std::size_t split) {
  FrameReader reader;
  std::vector<Seen> seen;
  auto note = [&](const wire::FrameHeader& header, std::string_view payload) {
    seen.push_back({header.opcode, header.length, std::string(payload)});
  };
  reader.feed(bytes.substr(0, split), note);
  reader.feed(bytes.substr(split), note);
  return seen;
}

}  // namespace

TEST_CASE("frames: a reader sees the same wherever the bytes are split", "[bench]") {
  std::string bytes = make_message(0, Side::backend) + make_message(5, Side::client) +
                      std::string("\x89\x02hi", 4) + make_message(300, Side::backend) +
                      std::string("\x8A\x00", 2) + make_message(70000, Side::backend);
  const std::vector<Seen> all{{2, 0, ""},   {2, 5, ""},  {9, 2, "hi"},
                              {2, 300, ""}, {10, 0, ""}, {2, 70000, ""}};
  for (std::size_t split = 0; split < 400; ++split) {
    CAPTURE(split);
    CHECK(read_in_two(bytes, split) == all);
  }
}

TEST_CASE("frames: byte by byte", "[bench]") {
  std::string bytes = make_message(70000, Side::client) + std::string("\x88\x02\x03\xE8", 4);
  FrameReader reader;
  std::vector<Seen> seen;
  for (char byte : bytes) {
    reader.feed({&byte, 1}, [&](const wire::FrameHeader& header, std::string_view payload) {
      seen.push_back({header.opcode, header.length, std::string(payload)});
    });
  }
  CHECK(seen == std::vector<Seen>{{2, 70000, ""}, {8, 2, "\x03\xE8"}});
}

}  // namespace fairlead::bench
