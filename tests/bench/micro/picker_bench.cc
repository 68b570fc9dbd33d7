#include <benchmark/benchmark.h>

#include "proxy/balance/picker.h"

namespace fairlead::bench {
namespace {

void pick(benchmark::State& state, conf::Backend::Balance balance) {
  const auto picker = balance::make_picker(balance);
  std::vector<balance::Candidate> servers(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) ++servers[picker->pick(servers)].sessions;
}

BENCHMARK_CAPTURE(pick, least_connections, conf::Backend::Balance::least_connections)
    ->Arg(2)
    ->Arg(16)
    ->Arg(128);
BENCHMARK_CAPTURE(pick, round_robin, conf::Backend::Balance::round_robin)
    ->Arg(2)
    ->Arg(16)
    ->Arg(128);

}  // namespace
}  // namespace fairlead::bench
