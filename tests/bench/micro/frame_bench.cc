#include <benchmark/benchmark.h>

#include <algorithm>

#include "proxy/wire/frame_scanner.h"
#include "tests/bench/micro/samples.h"

namespace fairlead::bench {
namespace {

constexpr std::size_t kPiece = std::size_t{64} * 1024;  // one read

// Scans all of it in reads of 64 KiB; a cut header comes again with the next read.
void scan(benchmark::State& state, const std::string& bytes, bool masked, std::size_t frames) {
  const wire::ScanRules rules{.masked = masked};
  for (auto _ : state) {
    wire::FrameScanner scanner;
    wire::ScanCounters counters;
    for (std::size_t at = 0; at < bytes.size();) {
      const auto n = std::min(kPiece, bytes.size() - at);
      const auto result = scanner.scan({bytes.data() + at, n}, rules, {}, counters);
      if (result.pass == 0) return state.SkipWithError("refused");
      at += result.pass;
    }
    benchmark::DoNotOptimize(counters);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(frames));
}

// Arguments: payload, masked. One frame a call.
void frame(benchmark::State& state) {
  const FrameShape shape{static_cast<std::size_t>(state.range(0)), state.range(1) != 0};
  scan(state, frames(shape, 1), shape.masked, 1);
}

// As many as a read of 64 KiB holds.
void frames_in_a_read(benchmark::State& state) {
  const FrameShape shape{static_cast<std::size_t>(state.range(0)), state.range(1) != 0};
  const std::size_t count = kPiece / frames(shape, 1).size();
  scan(state, frames(shape, count), shape.masked, count);
}

// Messages of four fragments.
void fragments(benchmark::State& state) {
  const auto payload = static_cast<std::size_t>(state.range(0));
  const bool masked = state.range(1) != 0;
  scan(state, fragmented(payload, masked, 100), masked, 400);
}

BENCHMARK(frame)
    ->ArgNames({"bytes", "masked"})
    ->ArgsProduct({{2, 64, 125, 126, 1 << 10, 1 << 16, 1 << 20}, {0, 1}});
BENCHMARK(frames_in_a_read)
    ->ArgNames({"bytes", "masked"})
    ->ArgsProduct({{2, 64, 125, 126, 1 << 10}, {0, 1}});
BENCHMARK(fragments)->ArgNames({"bytes", "masked"})->ArgsProduct({{64, 1 << 10}, {0, 1}});

}  // namespace
}  // namespace fairlead::bench
