// The frame scanner against itself and against a plain decoder: the stream fed whole, in chunks of
// one size and in chunks of changing sizes must leave the same trace as the naive scan of it.
//
// Input: flags (masked, strict, deflate, unknown, limits), chunk size, limits, then the stream.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/support/naive_scan.h"
#include "tests/support/scan_driver.h"

namespace {

using namespace fairlead;

constexpr std::size_t kSetupBytes = 5;

test::ScanSetup read_setup(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned>(bytes[i] & 255); };
  test::ScanSetup setup;
  setup.rules.masked = (at(0) & 1) != 0;
  setup.rules.strict = (at(0) & 2) == 0;
  setup.extensions.deflate = (at(0) & 4) != 0;
  setup.extensions.unknown = (at(0) & 8) != 0;
  if ((at(0) & 16) != 0) setup.rules.max_frame = at(2);
  if ((at(0) & 32) != 0) setup.rules.max_message = at(3);
  if ((at(0) & 64) != 0) setup.budget = {at(4) & 7, at(4) >> 3 & 3};
  return setup;
}

void expect(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "fuzz_frames: %s\n", what);
  std::abort();
}

// Feeds chunks of `step` bytes, each `growth` longer than the one before, and compares.
void run(std::string_view stream, const test::ScanSetup& setup, std::size_t step,
         std::size_t growth, const test::NaiveScan& want) {
  test::ScanDriver driver(setup);
  while (!stream.empty()) {
    const std::size_t n = std::min(step, stream.size());
    driver.feed(stream.substr(0, n));
    stream.remove_prefix(n);
    step += growth;
    const auto remaining = want.remaining(driver.trace().forwarded.size());
    expect(driver.scanner().frame_remaining() == remaining, "frame_remaining()");
    expect(driver.scanner().mid_frame() == (remaining != 0), "mid_frame()");
  }
  expect(driver.broken().empty(), driver.broken().c_str());
  expect(driver.trace() == want.trace, "another trace than the naive scan's");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (size < kSetupBytes) return 0;
  const test::ScanSetup setup = read_setup(input);
  const std::string_view stream = input.substr(kSetupBytes);
  const auto want = test::naive_scan(stream, setup);
  run(stream, setup, stream.size(), 0, want);
  run(stream, setup, 1 + (data[1] & 31), data[1] >> 5, want);
  return 0;
}
