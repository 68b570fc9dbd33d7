// Work whose instructions callgrind counts, one case after the other; counts.py runs it and reads
// what callgrind wrote. Each case runs twice, and the second run is counted: by then libc's
// functions are bound and the allocator is warm.
//
//   bench_counts              runs the cases; each is dumped as "NAME UNITS"
//   bench_counts --compiler   says what built it, as the baselines name it

#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>

#include "proxy/wire/frame_scanner.h"
#include "tests/bench/micro/samples.h"

namespace fairlead::bench {
namespace {

constexpr std::size_t kFrames = 1000;
constexpr std::size_t kSegment = 1448;  // what a TCP segment on Ethernet carries
constexpr wire::ScanRules kFromClient{.masked = true};

// A case that does not do its work would be counted as a fast one.
void require(bool done) {
  if (!done) {
    std::fputs("bench_counts: a case did not do its work\n", stderr);
    std::exit(EXIT_FAILURE);
  }
}

// `units` is what the count is divided by: heads or frames.
template <class F>
void count(const char* name, std::size_t units, F work) {
  work();
  CALLGRIND_ZERO_STATS;
  CALLGRIND_TOGGLE_COLLECT;
  work();
  CALLGRIND_TOGGLE_COLLECT;
  std::array<char, 80> trigger{};
  std::snprintf(trigger.data(), trigger.size(), "%s %zu", name, units);
  CALLGRIND_DUMP_STATS_AT(trigger.data());
}

void scan_head(std::string_view head) {
  wire::HeadScanner scanner(kHeadLimits);
  require(scanner.feed(head) == wire::HeadScanner::State::complete);
}

// As an exchange has it: the fields are new each time.
void parse_head(std::string_view head) {
  wire::RequestHead out;
  require(wire::parse_request(head, out) == wire::HeadError::none);
}

// In pieces of `piece` bytes, as reads bring them; nothing may be left over but by their cut.
void scan_frames(std::string_view bytes, std::size_t piece, std::size_t payload) {
  wire::FrameScanner scanner;
  wire::ScanCounters counters;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto part = bytes.substr(at, piece);
    const auto result = scanner.scan({part.data(), part.size()}, kFromClient, {}, counters);
    require(result.pass != 0 && result.event == wire::ScanResult::Event::none);
    at += result.pass;
  }
  require(counters.bytes == payload);
}

void heads() {
  const std::string large = large_head();
  count("head_scan_small", 1, [] { scan_head(kSmallHead); });
  count("head_scan_browser", 1, [] { scan_head(kBrowserHead); });
  count("head_scan_100_fields", 1, [&] { scan_head(large); });
  count("head_parse_small", 1, [] { parse_head(kSmallHead); });
  count("head_parse_browser", 1, [] { parse_head(kBrowserHead); });
  count("head_parse_100_fields", 1, [&] { parse_head(large); });
}

void frame_runs() {
  const std::string small = frames({64, true}, kFrames);
  const std::string medium = frames({126, true}, kFrames);
  const std::string parts = fragmented(64, true, kFrames / 4);
  const std::string large = frames({std::size_t{64} * 1024, true}, 1);
  count("frames_64B_one_piece", kFrames, [&] { scan_frames(small, small.size(), kFrames * 64); });
  count("frames_64B_frame_by_frame", kFrames,
        [&] { scan_frames(small, small.size() / kFrames, kFrames * 64); });
  count("frames_126B_one_piece", kFrames,
        [&] { scan_frames(medium, medium.size(), kFrames * 126); });
  count("frames_64B_fragments", kFrames, [&] { scan_frames(parts, parts.size(), kFrames * 64); });
  count("frame_64KiB_in_segments", 1,
        [&] { scan_frames(large, kSegment, std::size_t{64} * 1024); });
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--compiler") {
#if defined(__clang__)
    std::puts("clang++");
#elif defined(__GNUC__) && defined(__x86_64__)
    std::printf("g++ %d x86_64\n", __GNUC__);
#else
    std::puts("another");
#endif
    return EXIT_SUCCESS;
  }
  fairlead::bench::heads();
  fairlead::bench::frame_runs();
  return EXIT_SUCCESS;
}
