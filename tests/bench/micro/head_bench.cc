#include <benchmark/benchmark.h>

#include "tests/bench/micro/samples.h"

namespace fairlead::bench {
namespace {

void head_scan(benchmark::State& state, const std::string& head) {
  for (auto _ : state) {
    wire::HeadScanner scanner(kHeadLimits);
    benchmark::DoNotOptimize(scanner.feed(head));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(head.size()));
}

// As an exchange has it: the fields are new each time.
void head_parse(benchmark::State& state, const std::string& head) {
  for (auto _ : state) {
    wire::RequestHead out;
    if (wire::parse_request(head, out) != wire::HeadError::none) state.SkipWithError("refused");
    benchmark::DoNotOptimize(out);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(head.size()));
}

BENCHMARK_CAPTURE(head_scan, small, std::string(kSmallHead));
BENCHMARK_CAPTURE(head_scan, browser, std::string(kBrowserHead));
BENCHMARK_CAPTURE(head_scan, fields_100, large_head());
BENCHMARK_CAPTURE(head_parse, small, std::string(kSmallHead));
BENCHMARK_CAPTURE(head_parse, browser, std::string(kBrowserHead));
BENCHMARK_CAPTURE(head_parse, fields_100, large_head());

}  // namespace
}  // namespace fairlead::bench
