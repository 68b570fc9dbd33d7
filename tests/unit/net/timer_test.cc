// The wheel against a sorted list that does the same slowly.

#include "proxy/net/timer.h"

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "tests/support/catch.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart{std::chrono::hours(1000)};

struct Calls final : Timer::Handler {
  void on_timer(Timer& timer) override {
    ++count;
    if (then) then(timer);
  }

  int count = 0;
  std::function<void(Timer&)> then;
};

// Deadline rounded up to a tick of the wheel, as the naive model has it.
TimePoint on_tick(TimePoint deadline) {
  auto past = deadline - kStart;
  auto ticks = (past + TimerWheel::kTick - 1ns) / TimerWheel::kTick;
  return kStart + ticks * TimerWheel::kTick;
}

// Some of everything: near, within each level, at the levels' borders, beyond the wheel's 18 hours.
Clock::duration random_delay(std::mt19937_64& random) {
  static constexpr std::uint64_t kTicks[] = {1,    63,     64,     65,     4095,     4096,
                                             4097, 262143, 262144, 262145, 16777215, 16777216};
  switch (random() % 6) {
    case 0:
      return TimerWheel::kTick * static_cast<int>(kTicks[random() % std::size(kTicks)]);
    case 1:
      return std::chrono::microseconds(random() % 300'000);
    case 2:
      return std::chrono::milliseconds(random() % 20'000);
    case 3:
      return std::chrono::seconds(random() % 3600);
    case 4:
      return std::chrono::seconds(random() % 200'000);
    default:
      return -std::chrono::seconds(random() % 10);
  }
}

}  // namespace

TEST_CASE("timer: fires at its deadline or up to a tick later, never before", "[net][timer]") {
  for (auto delay : {0ms, 1ms, 3ms, 4ms, 5ms, 255ms, 256ms, 257ms, 16384ms, 20'000ms, 1'048'576ms,
                     3'600'000ms, 90'000'000ms}) {
    TimerWheel wheel(kStart);
    Calls calls;
    Timer timer(wheel, calls);
    timer.arm(kStart + delay);
    CAPTURE(delay.count());
    TimePoint due = on_tick(kStart + std::max(delay, 1ms));
    wheel.advance(due - 1ns);
    REQUIRE(calls.count == 0);
    REQUIRE(timer.armed());
    REQUIRE(wheel.next() <= due);
    wheel.advance(due);
    REQUIRE(calls.count == 1);
    REQUIRE_FALSE(timer.armed());
    REQUIRE(wheel.next() >= TimePoint::max() - 1ns);
    wheel.advance(due + 100h);
    REQUIRE(calls.count == 1);
  }
}

TEST_CASE("timer: following next() step by step loses nothing, whatever the distance",
          "[net][timer]") {
  for (auto delay : {5ms, 300ms, 20'000ms, 3'600'000ms, 400'000'000ms}) {
    TimerWheel wheel(kStart);
    Calls calls;
    Timer timer(wheel, calls);
    timer.arm(kStart + delay);
    int steps = 0;
    TimePoint now = kStart;
    while (calls.count == 0) {
      REQUIRE(wheel.next() > now);
      now = wheel.next();
      wheel.advance(now);
      REQUIRE(++steps < 100);
    }
    CHECK(now == on_tick(kStart + delay));
  }
}

TEST_CASE("timer: a deadline in the past fires with the next tick", "[net][timer]") {
  TimerWheel wheel(kStart);
  Calls calls;
  Timer timer(wheel, calls);
  wheel.advance(kStart + 10s);
  timer.arm(kStart);
  wheel.advance(kStart + 10s);
  CHECK(calls.count == 0);
  CHECK(wheel.next() <= kStart + 10s + TimerWheel::kTick);
  wheel.advance(kStart + 10s + TimerWheel::kTick);
  CHECK(calls.count == 1);
}

TEST_CASE("timer: TimePoint::max() never fires and breaks nothing", "[net][timer]") {
  TimerWheel wheel(kStart);
  Calls calls;
  Timer timer(wheel, calls);
  timer.arm(TimePoint::max());
  CHECK(timer.armed());
  for (int day = 1; day < 10; ++day) wheel.advance(kStart + 24h * day);
  CHECK(calls.count == 0);
  timer.arm_by(kStart + 24h * 10);
  wheel.advance(kStart + 24h * 10);
  CHECK(calls.count == 1);
}

TEST_CASE("timer: arm moves a deadline both ways, arm_by only forward", "[net][timer]") {
  TimerWheel wheel(kStart);
  Calls calls;
  Timer timer(wheel, calls);
  timer.arm(kStart + 1s);
  timer.arm_by(kStart + 2s);
  wheel.advance(kStart + 1s);
  CHECK(calls.count == 1);

  timer.arm_by(kStart + 5s);  // not armed: arms
  timer.arm_by(kStart + 3s);
  wheel.advance(kStart + 3s);
  CHECK(calls.count == 2);

  timer.arm(kStart + 5s);
  timer.arm(kStart + 8s);
  wheel.advance(kStart + 7s);
  CHECK(calls.count == 2);
  timer.arm(kStart + 7500ms);
  wheel.advance(kStart + 7500ms);
  CHECK(calls.count == 3);
}

TEST_CASE("timer: disarmed or destroyed it does not fire", "[net][timer]") {
  TimerWheel wheel(kStart);
  Calls calls;
  Timer first(wheel, calls);
  {
    Timer second(wheel, calls);
    first.arm(kStart + 1s);
    second.arm(kStart + 1s);
    first.disarm();
    first.disarm();
  }
  wheel.advance(kStart + 1h);
  CHECK(calls.count == 0);
}

TEST_CASE("timer: a handler may arm again, even for now", "[net][timer]") {
  TimerWheel wheel(kStart);
  Calls calls;
  calls.then = [&](Timer& timer) {
    if (calls.count < 5) timer.arm(kStart);
  };
  Timer timer(wheel, calls);
  timer.arm(kStart + 1s);
  wheel.advance(kStart + 2s);
  CHECK(calls.count == 5);
}

TEST_CASE("timer: a handler may destroy its own timer and others that are due with it",
          "[net][timer]") {
  TimerWheel wheel(kStart);
  std::vector<std::unique_ptr<Timer>> timers;
  Calls calls;
  calls.then = [&](Timer&) { timers.clear(); };
  for (int i = 0; i < 10; ++i) {
    timers.push_back(std::make_unique<Timer>(wheel, calls));
    timers.back()->arm(kStart + 1s);
  }
  wheel.advance(kStart + 1h);
  CHECK(calls.count == 1);
}

TEST_CASE("timer: a handler may disarm and re-arm others that are due with it", "[net][timer]") {
  TimerWheel wheel(kStart);
  Calls calls;
  Timer a(wheel, calls);
  Timer b(wheel, calls);
  calls.then = [&](Timer& fired) {
    if (calls.count == 1) (&fired == &a ? b : a).arm(kStart + 2s);
  };
  a.arm(kStart + 1s);
  b.arm(kStart + 1s);
  wheel.advance(kStart + 1500ms);
  CHECK(calls.count == 1);
  wheel.advance(kStart + 2s);
  CHECK(calls.count == 2);
}

TEST_CASE("timer: random arms, disarms and advances agree with a sorted list", "[net][timer]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20; ++round) {
    TimerWheel wheel(kStart);
    TimePoint now = kStart;
    std::map<Timer*, TimePoint> model;  // when each is due, rounded to a tick
    std::vector<std::unique_ptr<Timer>> timers;
    Calls calls;
    bool wrong = false;
    auto due_of = [&](TimePoint deadline) {
      return std::max(
          on_tick(deadline),
          kStart + (now - kStart) / TimerWheel::kTick * TimerWheel::kTick + TimerWheel::kTick);
    };
    calls.then = [&](Timer& timer) {
      auto found = model.find(&timer);
      wrong = wrong || found == model.end() || found->second > now;
      if (found != model.end()) model.erase(found);
    };
    for (int i = 0; i < 40; ++i) timers.push_back(std::make_unique<Timer>(wheel, calls));
    for (int step = 0; step < 500; ++step) {
      std::unique_ptr<Timer>& timer = timers[random() % timers.size()];
      TimePoint deadline = now + random_delay(random);
      switch (random() % 6) {
        case 0:
        case 1:
          timer->arm(deadline);
          model[timer.get()] = due_of(deadline);
          break;
        case 2: {
          bool earlier = model.count(timer.get()) == 0 || model[timer.get()] > on_tick(deadline);
          timer->arm_by(deadline);
          if (earlier) model[timer.get()] = due_of(deadline);
          break;
        }
        case 3:
          if (random() % 2 == 0) timer->disarm();
          model.erase(timer.get());
          timer = std::make_unique<Timer>(wheel, calls);
          break;
        default:
          now += std::max<Clock::duration>(
              random_delay(random) / static_cast<int>(1 + random() % 50), 0ns);
          wheel.advance(now);
          for (auto& [late, due] : model) wrong = wrong || due <= now;
          break;
      }
      TimePoint first = TimePoint::max();
      for (auto& [armed, due] : model) {
        first = std::min(first, due);
        wrong = wrong || !armed->armed();
      }
      wrong = wrong || wheel.next() > first;
      REQUIRE_FALSE(wrong);
    }
  }
}

TEST_CASE("timer: handlers that re-arm and destroy at random do no harm", "[net][timer]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  TimerWheel wheel(kStart);
  TimePoint now = kStart;
  std::vector<std::unique_ptr<Timer>> timers(60);
  Calls calls;
  auto fresh = [&] {
    auto timer = std::make_unique<Timer>(wheel, calls);
    timer->arm(now + random_delay(random));
    return timer;
  };
  calls.then = [&](Timer& timer) {
    if (random() % 2 == 0) timer.arm(now + std::chrono::milliseconds(random() % 100'000));
    if (random() % 4 == 0) timers[random() % timers.size()].reset();
    if (random() % 4 == 0) timers[random() % timers.size()] = fresh();
  };
  for (int step = 0; step < 3000; ++step) {
    auto& timer = timers[random() % timers.size()];
    if (!timer) timer = fresh();
    now += std::chrono::milliseconds(random() % 5000);
    wheel.advance(now);
    REQUIRE(wheel.next() > now);
  }
  CHECK(calls.count > 0);  // how many, is up to the seed
}

}  // namespace fairlead::net
