#include "proxy/net/pause.h"

#include "tests/support/catch.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart = TimePoint{} + 1000s;

}  // namespace

TEST_CASE("pause: a loop that wakes up when it should judges at once", "[net][pause]") {
  Pause pause;
  pause.woke(kStart + 10s, kStart, kStart + 10s);
  pause.woke(kStart + 10s, kStart, kStart + 10s + Pause::kLate);
  CHECK(pause.until() < kStart);
}

TEST_CASE("pause: deadlines that came while the process was stopped are judged later",
          "[net][pause]") {
  Pause pause;
  pause.woke(kStart + 10s, kStart, kStart + 70s);
  CHECK(pause.until() == kStart + 70s + Pause::kGrace);
}

TEST_CASE("pause: what was due long before the turn began is no pause", "[net][pause]") {
  Pause pause;
  pause.woke(kStart, kStart + 30s, kStart + 30s + 1ms);
  CHECK(pause.until() < kStart);
}

TEST_CASE("pause: a loop that is always late judges every other time", "[net][pause]") {
  Pause pause;
  TimePoint now = kStart;
  int waits = 0;
  for (int i = 0; i < 10; ++i) {
    const TimePoint before = now;
    now += 5s;
    pause.woke(before, before, now);
    if (pause.until() > now) ++waits;
  }
  CHECK(waits == 5);
}

}  // namespace fairlead::net
