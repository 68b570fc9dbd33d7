#include <benchmark/benchmark.h>

#include "proxy/rules/ip_limits.h"
#include "proxy/rules/token_bucket.h"

namespace fairlead::bench {
namespace {

using rules::Clock;
using std::chrono::microseconds;

// What a relayed read asks of a session's message limit: how many may pass, then takes them.
void token_bucket(benchmark::State& state) {
  Clock::time_point now{};
  rules::TokenBucket bucket({1e6, 1e6}, now);
  for (auto _ : state) {
    now += microseconds(10);
    benchmark::DoNotOptimize(bucket);  // or the compiler knows what the last turn left in it
    benchmark::DoNotOptimize(bucket.available(now));
    bucket.charge(3, now);
  }
}

// A session's begin and end, the addresses in turn; their entries are there already.
void ip_limits(benchmark::State& state) {
  const auto addresses = static_cast<std::uint32_t>(state.range(0));
  conf::Limits limits;
  limits.handshakes_per_ip = conf::Rate{1e9, 1e9};
  limits.connections_per_ip = 200;
  rules::IpLimits table(limits);
  Clock::time_point now{};
  for (std::uint32_t i = 0; i < addresses; ++i) table.enter(conf::Ip::v4(i), now);
  std::uint32_t next = 0;
  for (auto _ : state) {
    now += microseconds(1);
    const conf::Ip ip = conf::Ip::v4(next);
    if (++next == addresses) next = 0;
    if (!table.enter(ip, now).counted) state.SkipWithError("refused");
    table.leave(ip);
  }
}

BENCHMARK(token_bucket);
BENCHMARK(ip_limits)->ArgName("addresses")->Arg(1)->Arg(100000);

}  // namespace
}  // namespace fairlead::bench
