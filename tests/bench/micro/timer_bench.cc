#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "proxy/net/timer.h"

namespace fairlead::bench {
namespace {

using net::TimePoint;
using net::Timer;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kSpreadMs = 20000;

struct Sleepers final : Timer::Handler {
  explicit Sleepers(std::int64_t count) : wheel(TimePoint{}) {
    for (int i = 0; i < count; ++i) {
      timers.push_back(std::make_unique<Timer>(wheel, *this));
      timers.back()->arm(TimePoint{} + milliseconds(1 + i * 7919LL % kSpreadMs));
    }
  }

  // Each sleeps for as long again, as a keepalive's does.
  void on_timer(Timer& timer) override {
    ++fired;
    timer.arm(now + milliseconds(kSpreadMs));
  }

  TimePoint now{};
  net::TimerWheel wheel;
  std::vector<std::unique_ptr<Timer>> timers;
  std::int64_t fired = 0;
};

void timer_arm_disarm(benchmark::State& state) {
  Sleepers sleepers(state.range(0));
  Timer timer(sleepers.wheel, sleepers);
  for (auto _ : state) {
    timer.arm(TimePoint{} + seconds(10));
    timer.disarm();
  }
}

// A deadline that moves away: what every read of a session does.
void timer_arm_by_later(benchmark::State& state) {
  Sleepers sleepers(state.range(0));
  Timer timer(sleepers.wheel, sleepers);
  timer.arm(TimePoint{} + seconds(10));
  TimePoint deadline = TimePoint{} + seconds(11);
  for (auto _ : state) {
    timer.arm_by(deadline);
    deadline += milliseconds(1);
  }
}

// A tick of the wheel, what is due in it fired and armed again. Items: timers fired.
void timer_advance(benchmark::State& state) {
  Sleepers sleepers(state.range(0));
  for (auto _ : state) {
    sleepers.now += net::TimerWheel::kTick;
    sleepers.wheel.advance(sleepers.now);
  }
  state.SetItemsProcessed(sleepers.fired);
}

BENCHMARK(timer_arm_disarm)->ArgName("armed")->Arg(10000)->Arg(100000);
BENCHMARK(timer_arm_by_later)->ArgName("armed")->Arg(10000)->Arg(100000);
BENCHMARK(timer_advance)->ArgName("armed")->Arg(10000)->Arg(100000);

}  // namespace
}  // namespace fairlead::bench
