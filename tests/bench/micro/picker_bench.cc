#include <benchmark/benchmark.h>

#include "proxy/balance/picker.h"

namespace fairlead::bench {
namespace {

// Its multiples spread over all 64 bits (2^64 by the golden ratio).
constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;

void pick(benchmark::State& state, conf::Backend::Balance balance) {
  const auto picker = balance::make_picker(balance);
  std::vector<balance::Candidate> servers(static_cast<std::size_t>(state.range(0)));
  for (std::size_t i = 0; i < servers.size(); ++i) servers[i].id = (i + 1) * kOdd;
  balance::Draw draw;
  for (auto _ : state) {
    draw.random += kOdd;
    draw.key = draw.random;
    ++servers[picker->pick(servers, draw)].sessions;
  }
}

BENCHMARK_CAPTURE(pick, least_connections, conf::Backend::Balance::least_connections)
    ->Arg(2)
    ->Arg(16)
    ->Arg(128);
BENCHMARK_CAPTURE(pick, round_robin, conf::Backend::Balance::round_robin)
    ->Arg(2)
    ->Arg(16)
    ->Arg(128);
BENCHMARK_CAPTURE(pick, random_two, conf::Backend::Balance::random_two)->Arg(2)->Arg(16)->Arg(128);
BENCHMARK_CAPTURE(pick, hash, conf::Backend::Balance::hash)->Arg(2)->Arg(16)->Arg(128);

}  // namespace
}  // namespace fairlead::bench
