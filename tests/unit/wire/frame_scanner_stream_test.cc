// Streams of many frames: however they are cut, the scanner says what the naive scan of the whole
// stream says.

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/wire/frame_scanner.h"
#include "tests/support/catch.h"
#include "tests/support/frame_maker.h"
#include "tests/support/naive_scan.h"
#include "tests/support/scan_driver.h"

namespace fairlead::wire {
namespace {

using test::Make;
using test::make;
using test::naive_scan;
using test::NaiveScan;
using test::ScanDriver;
using test::ScanSetup;

// Well-formed frames, the same on every platform for the same seed.
class StreamMaker {
 public:
  StreamMaker(unsigned seed, bool masked, std::vector<std::size_t> sizes)
      : random_(seed), masked_(masked), sizes_(std::move(sizes)) {}

  // `messages` of one to four fragments, with Pings and Pongs anywhere between two frames.
  std::string stream(unsigned messages) {
    std::string out;
    for (unsigned i = 0; i < messages; ++i) {
      const unsigned fragments = below(3) == 0 ? 1 + below(4) : 1;
      for (unsigned f = 0; f < fragments; ++f) {
        if (below(4) == 0) out += frame(9 + below(2), true, below(126));
        const unsigned opcode = f == 0 ? 1 + below(2) : 0;
        out +=
            frame(opcode, f + 1 == fragments, sizes_[below(static_cast<unsigned>(sizes_.size()))]);
      }
    }
    return out;
  }

  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  std::string noise(std::size_t size) {
    std::string out;
    while (out.size() < size) out += static_cast<char>(random_() & 255);
    return out;
  }

 private:
  std::string frame(unsigned opcode, bool fin, std::size_t size) {
    return make({.opcode = opcode, .payload = noise(size), .masked = masked_, .fin = fin});
  }

  std::mt19937 random_;
  const bool masked_;
  const std::vector<std::size_t> sizes_;
};

// Feeds `stream` cut at `cuts` (ascending) and compares everything; "" when all is well. One answer
// instead of an assertion each: Catch's are too slow for millions.
std::string difference(std::string_view stream, const std::vector<std::size_t>& cuts,
                       const ScanSetup& setup, const NaiveScan& want) {
  ScanDriver driver(setup);
  std::size_t at = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : stream.size();
    driver.feed(stream.substr(at, end - at));
    at = end;
    const auto remaining = want.remaining(driver.trace().forwarded.size());
    if (driver.scanner().frame_remaining() != remaining) return "frame_remaining()";
    if (driver.scanner().mid_frame() != (remaining != 0)) return "mid_frame()";
  }
  if (!driver.broken().empty()) return driver.broken();
  if (driver.trace().forwarded != want.trace.forwarded) return "forwarded bytes";
  if (driver.trace().events != want.trace.events) return "events";
  return driver.trace() == want.trace ? "" : "counters";
}

std::vector<std::size_t> every(std::size_t step, std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = step; at < size; at += step) cuts.push_back(at);
  return cuts;
}

}  // namespace

TEST_CASE("scanner: a stream cut at any byte gives the same trace", "[wire][scanner]") {
  const bool masked = GENERATE(false, true);
  const unsigned seed = GENERATE(1U, 2U);
  StreamMaker maker(seed, masked, {0, 1, 2, 60, 124, 125, 126, 127, 200});
  const std::string stream = maker.stream(16) + make({.opcode = 8, .masked = masked});
  const ScanSetup setup{{.masked = masked}};
  const NaiveScan want = naive_scan(stream, setup);
  REQUIRE(want.trace.forwarded == stream);
  REQUIRE(want.trace.messages == 16);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    const std::string diff = difference(stream, {cut}, setup, want);
    if (!diff.empty()) FAIL(diff << ", seed " << seed << ", cut at " << cut);
  }
  for (std::size_t step : {1U, 2U, 3U, 5U, 7U, 64U, 131U}) {
    CHECK(difference(stream, every(step, stream.size()), setup, want) == "");
  }
}

TEST_CASE("scanner: a stream cut at any two bytes gives the same trace", "[wire][scanner]") {
  const bool masked = GENERATE(false, true);
  const auto in = [masked](Make m) {
    m.masked = masked;
    return make(m);
  };
  const std::string stream =
      in({.opcode = 1, .payload = "Hel", .fin = false}) + in({.opcode = 9, .payload = "ping"}) +
      in({.opcode = 0, .fin = false}) + in({.opcode = 0, .payload = "lo"}) + in({}) +
      in({.payload = std::string(126, 'x')}) + in({.opcode = 1, .payload = "three"}) +
      in({.opcode = 10}) + in({.opcode = 8, .payload = "\x03\xE8ok"}) + "behind";
  const test::Budget budget = masked ? test::Budget{.messages = 1, .refill = 1} : test::Budget{};
  const ScanSetup setup{{.masked = masked}, {}, budget};
  const NaiveScan want = naive_scan(stream, setup);
  REQUIRE(want.trace.forwarded.size() + 6 == stream.size());
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (std::size_t second = first; second <= stream.size(); ++second) {
      const std::string diff = difference(stream, {first, second}, setup, want);
      if (!diff.empty()) FAIL(diff << ", cut at " << first << " and " << second);
    }
  }
}

TEST_CASE("scanner: long frames in reads of any size", "[wire][scanner]") {
  const bool masked = GENERATE(false, true);
  StreamMaker maker(7, masked, {0, 125, 4096, 65535, 65536, 100000});
  const std::string stream = maker.stream(12);
  const ScanSetup setup{{.masked = masked}};
  const NaiveScan want = naive_scan(stream, setup);
  REQUIRE(want.trace.forwarded == stream);
  for (std::size_t step : {1000U, 4096U, 16384U, 65536U, 262144U}) {
    CHECK(difference(stream, every(step, stream.size()), setup, want) == "");
  }
}

TEST_CASE("scanner: any bytes at all give the naive scan's trace", "[wire][scanner]") {
  StreamMaker maker(11, false, {0, 1, 5, 125, 126});
  for (unsigned round = 0; round < 1000; ++round) {
    const unsigned flags = maker.below(64);
    ScanSetup setup{{.masked = (flags & 1) != 0, .strict = (flags & 2) != 0},
                    {.deflate = (flags & 4) != 0, .unknown = (flags & 8) != 0},
                    {}};
    if ((flags & 16) != 0) setup.rules.max_frame = maker.below(150);
    if ((flags & 32) != 0) setup.rules.max_message = maker.below(150);
    if (maker.below(2) == 0) setup.budget = {.messages = maker.below(4), .refill = maker.below(2)};
    // Good frames with a byte or two spoiled reach further into the scanner than noise does.
    std::string stream = maker.below(4) == 0 ? maker.noise(80) : maker.stream(4);
    for (unsigned i = maker.below(4); i > 0; --i) {
      const auto at = maker.below(static_cast<unsigned>(std::min<std::size_t>(stream.size(), 40)));
      stream[at] = static_cast<char>(maker.below(256));
    }
    const NaiveScan want = naive_scan(stream, setup);
    for (std::size_t step :
         {std::size_t{1}, std::size_t{1} + maker.below(140), stream.size() + 1}) {
      const std::string diff = difference(stream, every(step, stream.size()), setup, want);
      if (!diff.empty()) FAIL(diff << ", round " << round << ", step " << step);
    }
  }
}

}  // namespace fairlead::wire
