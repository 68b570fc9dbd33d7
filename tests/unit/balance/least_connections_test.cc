#include "proxy/balance/least_connections.h"

#include <algorithm>
#include <random>
#include <vector>

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

using Candidates = std::vector<Candidate>;

std::unique_ptr<Picker> picker() {
  return make_picker(conf::Backend::Balance::least_connections);
}

Candidates of_weights(std::initializer_list<std::uint32_t> weights) {
  Candidates candidates;
  for (const auto weight : weights) candidates.push_back({weight, 0, true});
  return candidates;
}

}  // namespace

TEST_CASE("least connections: the least for its weight", "[balance][picker]") {
  struct Row {
    Candidates candidates;
    std::size_t want;
    const char* why;
  };

  const std::uint32_t many = 4'000'000'000;
  const Row rows[] = {
      {{}, kNoServer, "none at all"},
      {{{1, 0, false}, {1, 0, false}}, kNoServer, "none eligible"},
      {{{1, 5, true}}, 0, "one"},
      {{{1, 5, true}, {1, 4, true}}, 1, "the lesser count"},
      {{{1, 5, true}, {1, 4, false}}, 0, "the lesser is not eligible"},
      {{{2, 4, true}, {1, 3, true}}, 0, "5 of 2 is less than 4 of 1"},
      {{{2, 8, true}, {1, 3, true}}, 1, "9 of 2 is more than 4 of 1"},
      {{{1, 0, true}, {5, 0, true}}, 1, "both empty: the greater weight"},
      {{{999, 998, true}, {1000, 998, true}}, 1, "a thousandth counts"},
      {{{1000, many, true}, {999, many, true}}, 0, "great numbers, no overflow"},
      {{{1, many, true}, {1000, many, true}}, 1, "great numbers, no overflow"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(picker()->pick(row.candidates, {}) == row.want);
  }
}

TEST_CASE("least connections: equals take turns", "[balance][picker]") {
  const auto pick = picker();
  auto candidates = of_weights({1, 1, 1});
  std::vector<std::size_t> order;
  // Sessions that end at once: the counts stay 0.
  for (int i = 0; i < 7; ++i) order.push_back(pick->pick(candidates, {}));
  CHECK(order == std::vector<std::size_t>{0, 1, 2, 0, 1, 2, 0});
  candidates[1].eligible = false;
  order.clear();
  for (int i = 0; i < 4; ++i) order.push_back(pick->pick(candidates, {}));
  CHECK(order == std::vector<std::size_t>{2, 0, 2, 0});
}

TEST_CASE("least connections: fewer candidates than last time", "[balance][picker]") {
  const auto pick = picker();
  auto candidates = of_weights({1, 1, 1});
  candidates[0].sessions = candidates[1].sessions = 1;
  CHECK(pick->pick(candidates, {}) == 2);
  CHECK(pick->pick(of_weights({1, 1}), {}) == 1);
  CHECK(pick->pick(of_weights({1}), {}) == 0);
}

TEST_CASE("least connections: 100,000 sessions that stay follow the weights exactly",
          "[balance][picker]") {
  struct Row {
    std::vector<std::uint32_t> weights;
    std::vector<std::uint32_t> want;
  };

  const Row rows[] = {
      {{1, 1, 1, 1}, {25'000, 25'000, 25'000, 25'000}},
      {{5, 3, 2}, {50'000, 30'000, 20'000}},
      {{1000, 1, 999}, {50'000, 50, 49'950}},
      {{7}, {100'000}},
  };
  for (const auto& row : rows) {
    const auto pick = picker();
    Candidates candidates;
    for (const auto weight : row.weights) candidates.push_back({weight, 0, true});
    for (int i = 0; i < 100'000; ++i) ++candidates[pick->pick(candidates, {})].sessions;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      CAPTURE(i, row.weights);
      CHECK(candidates[i].sessions == row.want[i]);
    }
  }
}

TEST_CASE("least connections: no pick could have been better, whatever comes and goes",
          "[balance][picker]") {
  std::mt19937 random(5);
  const auto pick = picker();
  auto candidates = of_weights({5, 1, 3, 1000, 2});
  for (int i = 0; i < 100'000; ++i) {
    for (auto& candidate : candidates) {
      candidate.eligible = random() % 4 != 0;
      if (candidate.sessions > 0 && random() % 7 == 0) --candidate.sessions;
    }
    const auto chosen = pick->pick(candidates, {});
    if (chosen == kNoServer) {
      for (const auto& candidate : candidates) REQUIRE_FALSE(candidate.eligible);
      continue;
    }
    const auto& best = candidates[chosen];
    REQUIRE(best.eligible);
    for (const auto& other : candidates) {
      if (!other.eligible) continue;
      REQUIRE(std::uint64_t{best.sessions + 1} * other.weight <=
              std::uint64_t{other.sessions + 1} * best.weight);
    }
    ++candidates[chosen].sessions;
  }
}

}  // namespace fairlead::balance
