#include "proxy/balance/rebalance.h"

#include <algorithm>
#include <deque>
#include <numeric>
#include <random>

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

using std::chrono::seconds;

const Clock::time_point kStart{std::chrono::hours(1000)};

// Servers with sessions whose clients come back some seconds after they were moved, to the server
// with the fewest for its weight that does not shed: what the pool's pick does.
struct World {
  World(std::vector<std::uint32_t> sessions, std::vector<std::uint32_t> weights = {},
        conf::Rebalance settings = {20, {10, 10}, conf::Millis{0}})
      : policy(settings), rate(settings.rate.per_second) {
    for (std::size_t i = 0; i < sessions.size(); ++i) {
      loads.push_back(
          {.id = i + 1, .sessions = sessions[i], .weight = weights.empty() ? 1 : weights[i]});
    }
  }

  void step() {
    now += seconds(1);
    const auto moves = policy.step(loads, moved, now);
    REQUIRE(moves.size() == loads.size());
    shedding.assign(loads.size(), false);
    std::uint32_t burst = 0;
    for (std::size_t i = 0; i < loads.size(); ++i) {
      shedding[i] = moves[i].shedding;
      if (moves[i].sessions != 0) REQUIRE(moves[i].shedding);
      REQUIRE(moves[i].sessions <= loads[i].sessions);
      const std::uint32_t gone = std::min(moves[i].sessions, movable);
      burst += gone;
      loads[i].sessions -= gone;
      for (std::uint32_t n = 0; comes_back && n < gone; ++n) on_way.push_back(now + delay);
    }
    moved += burst;
    if (burst != 0) bursts.push_back({now, burst});
    while (!on_way.empty() && on_way.front() <= now) {
      on_way.pop_front();
      arrive();
    }
  }

  void arrive() {
    std::size_t best = loads.size();
    for (std::size_t i = 0; i < loads.size(); ++i) {
      if (!loads[i].takes_sessions || shedding[i]) continue;
      if (best == loads.size() ||
          loads[i].sessions * loads[best].weight < loads[best].sessions * loads[i].weight) {
        best = i;
      }
    }
    if (best < loads.size()) ++loads[best].sessions;
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
  }

  std::vector<std::uint32_t> sessions() const {
    std::vector<std::uint32_t> result;
    for (const auto& load : loads) result.push_back(load.sessions);
    return result;
  }

  Rebalance policy;
  double rate;
  std::vector<ServerLoad> loads;
  std::vector<bool> shedding;
  std::vector<std::pair<Clock::time_point, std::uint32_t>> bursts;
  std::deque<Clock::time_point> on_way;
  Clock::time_point now = kStart;
  Clock::duration delay = seconds(3);
  std::uint64_t moved = 0;
  std::uint32_t movable = UINT32_MAX;  // of a burst: the others are too young
  bool comes_back = true;
};

}  // namespace

TEST_CASE("rebalance: from two to four servers the new ones fill up, and then it is quiet",
          "[balance][rebalance]") {
  World world({1000, 1000, 0, 0});
  world.run(150);
  CHECK(world.sessions() == std::vector<std::uint32_t>{550, 550, 450, 450});
  CHECK(world.moved == 900);
  world.run(1000);
  CHECK(world.moved == 900);
  CHECK(std::none_of(world.shedding.begin(), world.shedding.end(), [](bool on) { return on; }));
}

TEST_CASE("rebalance: no more than the rate, over any ten seconds", "[balance][rebalance]") {
  for (const double rate : {0.5, 3.0, 10.0, 200.0}) {
    World world({3000, 0, 0}, {}, {20, {rate, rate}, conf::Millis{0}});
    world.run(400);
    for (const auto& [from, first] : world.bursts) {
      std::uint32_t sum = 0;
      for (const auto& [at, burst] : world.bursts)
        if (at >= from && at < from + seconds(10)) sum += burst;
      CAPTURE(rate, sum);
      CHECK(sum <= std::max(rate * (10 + Rebalance::kBurst), 5.0));
    }
    CHECK(world.moved > 0);
  }
}

TEST_CASE("rebalance: within the skew nothing moves", "[balance][rebalance]") {
  for (const auto& sessions : std::vector<std::vector<std::uint32_t>>{
           {0}, {7}, {0, 0}, {1, 0}, {2, 0}, {1, 1, 0}, {120, 100, 80}, {119, 81}, {500}}) {
    World world(sessions);
    world.run(30);
    CHECK(world.moved == 0);
    CHECK(world.sessions() == sessions);
  }
}

TEST_CASE("rebalance: few sessions are evened out as far as they can be", "[balance][rebalance]") {
  World world({3, 0});
  world.run(30);
  CHECK(world.sessions() == std::vector<std::uint32_t>{2, 1});
  World more({10, 0, 0});
  more.run(60);
  CHECK(more.sessions() == std::vector<std::uint32_t>{4, 3, 3});
}

TEST_CASE("rebalance: weights are shares", "[balance][rebalance]") {
  World world({900, 0, 0}, {1, 2, 6});
  world.run(200);
  CHECK(world.loads[0].sessions == 110);
  CHECK(world.loads[1].sessions == Approx(200).margin(5));
  CHECK(world.loads[2].sessions == Approx(590).margin(5));
  World right({100, 200, 600}, {1, 2, 6});
  right.run(30);
  CHECK(right.moved == 0);
}

TEST_CASE("rebalance: no session goes where none is taken", "[balance][rebalance]") {
  World world({1000, 0});
  world.loads[1].takes_sessions = false;
  world.run(60);
  CHECK(world.moved == 0);
  CHECK_FALSE(world.shedding[0]);
  world.loads[1].takes_sessions = true;
  world.run(60);
  CHECK(world.moved > 400);
}

TEST_CASE("rebalance: a server that takes none gives none and has no share",
          "[balance][rebalance]") {
  World world({1000, 100, 100});
  world.loads[0].takes_sessions = false;  // it drains: that is another matter
  world.run(60);
  CHECK(world.moved == 0);
}

TEST_CASE("rebalance: no more moves than there is room", "[balance][rebalance]") {
  World world({1000, 0});
  world.comes_back = false;  // nor does the room grow smaller
  world.loads[1].room = 30;
  world.run(5);
  CHECK(world.moved == 30);
  World none({1000, 0});
  none.loads[1].room = 0;
  none.run(60);
  CHECK(none.moved == 0);
}

TEST_CASE("rebalance: when moved sessions do not come back it stops, and tries later",
          "[balance][rebalance]") {
  World world({1000, 0});
  world.comes_back = false;
  world.run(200);
  CHECK(world.moved <= 350);  // 30 s of the rate, and what a burst adds
  CHECK(world.moved >= 250);
  const auto before = world.moved;
  world.run(250);
  CHECK(world.moved > before);
  CHECK(world.moved <= 2 * before + 100);
}

TEST_CASE("rebalance: clients that take their time are waited for", "[balance][rebalance]") {
  World world({1000, 1000, 0, 0});
  world.delay = seconds(25);
  world.run(400);
  CHECK(world.sessions() == std::vector<std::uint32_t>{550, 550, 450, 450});
  CHECK(world.moved == 900);
}

TEST_CASE("rebalance: where few may be moved it takes as long as it takes",
          "[balance][rebalance]") {
  World world({400, 0});
  world.movable = 1;
  world.run(1500);
  CHECK(world.loads[0].sessions == 220);
  CHECK(world.moved == 180);
}

TEST_CASE("rebalance: it never swings, whatever it begins with", "[balance][rebalance]") {
  std::mt19937 engine(7);
  const auto random = [&engine] { return static_cast<std::uint32_t>(engine()); };
  for (int round = 0; round < 60; ++round) {
    std::vector<std::uint32_t> sessions;
    std::vector<std::uint32_t> weights;
    const std::size_t servers = 2 + random() % 7;
    for (std::size_t i = 0; i < servers; ++i) {
      sessions.push_back(random() % 3 == 0 ? 0 : random() % 600);
      weights.push_back(1 + random() % 4);
    }
    CAPTURE(round, sessions, weights);
    World world(sessions, weights, {10 + random() % 40, {50, 50}, conf::Millis{0}});
    world.delay = seconds(random() % 8);
    const auto total = std::accumulate(sessions.begin(), sessions.end(), 0U);
    world.run(300);
    const auto moved = world.moved;
    CHECK(moved <= total);  // nobody is moved twice
    world.run(300);
    CHECK(world.moved == moved);
    const auto after = world.sessions();
    CHECK(std::accumulate(after.begin(), after.end(), 0U) == total);
  }
}

}  // namespace fairlead::balance
