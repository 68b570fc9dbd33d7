#include "proxy/balance/random_two.h"

#include <algorithm>
#include <random>
#include <vector>

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

using Candidates = std::vector<Candidate>;

constexpr std::uint64_t two(std::uint64_t first, std::uint64_t second) {
  return first << 32 | second;
}

std::size_t pick(const Candidates& candidates, std::uint64_t random) {
  return RandomTwo().pick(candidates, {{}, random});
}

}  // namespace

TEST_CASE("random two: the less loaded of the two drawn", "[balance][picker]") {
  const std::uint64_t low = 0;
  const std::uint64_t high = 0xffffffff;

  struct Row {
    Candidates candidates;
    std::uint64_t random;
    std::size_t want;
    const char* why;
  };

  const std::uint32_t many = 4'000'000'000;
  const Row rows[] = {
      {{}, two(low, low), kNoServer, "none at all"},
      {{{1, 0, false}, {1, 0, false}}, two(high, low), kNoServer, "none eligible"},
      {{{1, 5, true}}, two(high, high), 0, "one"},
      {{{1, 0, false}, {1, 5, true}, {1, 0, false}}, two(low, high), 1, "one eligible"},
      {{{1, 0, true}, {1, 0, true}}, two(low, low), 0, "equals: the first drawn"},
      {{{1, 0, true}, {1, 0, true}}, two(high, low), 1, "equals: the first drawn"},
      {{{1, 5, true}, {1, 4, true}}, two(low, low), 1, "the lesser"},
      {{{1, 4, true}, {1, 5, true}}, two(high, low), 0, "the lesser"},
      {{{2, 7, true}, {1, 4, true}}, two(high, low), 0, "7 of 2 is less than 4 of 1"},
      {{{1, 9, true}, {1, 0, true}, {1, 8, true}},
       two(low, high),
       2,
       "the empty one was not drawn"},
      {{{1000, many, true}, {999, many, true}}, two(high, low), 0, "great numbers, no overflow"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(pick(row.candidates, row.random) == row.want);
  }
}

TEST_CASE("random two: 100,000 sessions that end at once follow the weights", "[balance][picker]") {
  struct Row {
    std::vector<std::uint32_t> weights;
    double most;  // chi-square: one in 1000 is above
  };

  for (const auto& row : {Row{{1, 1}, 10.83}, Row{{5, 3, 2}, 13.82}, Row{{1000, 10, 500}, 13.82}}) {
    std::mt19937_64 random(11);
    Candidates candidates;
    double weight = 0;
    for (const auto one : row.weights) {
      candidates.push_back({one, 0, true});
      weight += one;
    }
    std::vector<double> counts(candidates.size());
    for (int i = 0; i < 100'000; ++i) ++counts.at(pick(candidates, random()));
    double chi_square = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const double want = 100'000 * row.weights[i] / weight;
      chi_square += (counts[i] - want) * (counts[i] - want) / want;
    }
    CAPTURE(row.weights, counts);
    CHECK(chi_square < row.most);
  }
}

TEST_CASE("random two: 100,000 sessions that stay are within a handful of even",
          "[balance][picker]") {
  // The largest of n bins is above the mean by about log2(log(n)) with two choices (Azar et al.
  // 1994); by chance alone it would be some hundreds.
  std::mt19937_64 random(12);
  Candidates candidates(20);
  for (int i = 0; i < 100'000; ++i) ++candidates[pick(candidates, random())].sessions;
  for (const auto& candidate : candidates) {
    CHECK(candidate.sessions >= 4'990);
    CHECK(candidate.sessions <= 5'010);
  }
  SECTION("by weight") {
    Candidates uneven{{5, 0, true}, {3, 0, true}, {2, 0, true}};
    for (int i = 0; i < 100'000; ++i) ++uneven[pick(uneven, random())].sessions;
    const std::uint32_t want[] = {50'000, 30'000, 20'000};
    for (std::size_t i = 0; i < uneven.size(); ++i) {
      CHECK(uneven[i].sessions >= want[i] - 20);
      CHECK(uneven[i].sessions <= want[i] + 20);
    }
  }
}

TEST_CASE("random two: the same number makes the same choice, and never an ineligible one",
          "[balance][picker]") {
  std::mt19937_64 random(13);
  Candidates candidates{{5, 0, true}, {1, 0, true}, {1000, 0, true}, {3, 0, true}};
  for (int i = 0; i < 100'000; ++i) {
    bool any = false;
    for (auto& candidate : candidates) {
      candidate.eligible = random() % 3 != 0;
      candidate.sessions = static_cast<std::uint32_t>(random() % 50);
      any = any || candidate.eligible;
    }
    const auto number = random();
    const auto at = pick(candidates, number);
    REQUIRE(at == pick(candidates, number));
    REQUIRE((at != kNoServer) == any);
    if (any) REQUIRE(candidates[at].eligible);
  }
}

}  // namespace fairlead::balance
