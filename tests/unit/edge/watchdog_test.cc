#include "proxy/edge/watchdog.h"

#include "proxy/edge/worker.h"
#include "tests/support/catch.h"

using namespace fairlead;
using namespace fairlead::edge;
using namespace std::chrono_literals;

namespace {

struct Rig {
  explicit Rig(unsigned running) {
    for (unsigned i = 0; i < 2; ++i) {
      shared.workers.push_back(std::make_unique<Worker>(shared, i, 1));
      if (i < running) shared.workers.back()->start();
    }
    watchdog = std::make_unique<Watchdog>(loop, mailbox, shared, 1s, [this] { ++signs; });
  }

  ~Rig() {
    for (auto& worker : shared.workers) worker->stop();
    for (auto& worker : shared.workers) worker->join();
  }

  net::Loop loop;
  net::Mailbox mailbox{loop};
  Shared shared;
  int signs = 0;
  std::unique_ptr<Watchdog> watchdog;
};

}  // namespace

TEST_CASE("watchdog: a sign of life once all workers have answered, each interval",
          "[edge][watchdog]") {
  Rig rig(2);
  for (int round = 1; round <= 3; ++round) {
    while (rig.signs < round) rig.loop.turn(true);  // each answer wakes the loop
    rig.loop.turn(false);
    CHECK(rig.signs == round);
    rig.loop.advance_clock(1s + net::TimerWheel::kTick);
    rig.loop.turn(false);
  }
}

TEST_CASE("watchdog: one worker that does not answer, and there is none", "[edge][watchdog]") {
  Rig rig(1);
  for (int i = 0; i < 5; ++i) {
    rig.loop.advance_clock(1s + net::TimerWheel::kTick);
    rig.loop.turn(false);
  }
  CHECK(rig.signs == 0);
}
