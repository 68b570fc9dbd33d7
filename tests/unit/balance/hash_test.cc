#include "proxy/balance/hash.h"

#include <cmath>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

using Candidates = std::vector<Candidate>;

constexpr int kKeys = 100'000;

std::string server_name(std::size_t i) {
  return "10.0.0." + std::to_string(i + 1) + ":8080";
}

Candidates of_weights(const std::vector<std::uint32_t>& weights) {
  Candidates candidates;
  for (const auto weight : weights) {
    candidates.push_back({weight, 0, true, stable_hash(server_name(candidates.size()))});
  }
  return candidates;
}

Draw draw(int key) {
  return {stable_hash("user-" + std::to_string(key)), 0};
}

// Where each key goes while nobody holds a session.
std::vector<std::size_t> places(const Candidates& candidates) {
  Hash hash;
  std::vector<std::size_t> result;
  for (int key = 0; key < kKeys; ++key) result.push_back(hash.pick(candidates, draw(key)));
  return result;
}

double chi_square(const std::vector<std::size_t>& places, const Candidates& candidates) {
  std::vector<double> counts(candidates.size());
  for (const auto place : places) ++counts.at(place);
  double weight = 0;
  for (const auto& candidate : candidates) weight += candidate.weight;
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double want = kKeys * candidates[i].weight / weight;
    sum += (counts[i] - want) * (counts[i] - want) / want;
  }
  return sum;
}

}  // namespace

TEST_CASE("hash: the hash of a text is the same for ever", "[balance][picker]") {
  // Another value here would send every key of a running cluster elsewhere on an update.
  CHECK(stable_hash("") == 0xefd01f60ba992926ULL);
  CHECK(stable_hash("a") == 0x82a2a958a9bece5bULL);
  CHECK(stable_hash("10.0.0.1:8080") == stable_hash("10.0.0.1:8080"));
  CHECK(stable_hash("10.0.0.1:8080") != stable_hash("10.0.0.2:8080"));
}

TEST_CASE("hash: 100,000 keys spread by weight", "[balance][picker]") {
  struct Row {
    std::vector<std::uint32_t> weights;
    double most;  // chi-square with n-1 degrees of freedom: one in 1000 is above
  };

  for (const auto& row :
       {Row{{1, 1}, 10.83}, Row{{1, 1, 1, 1}, 16.27}, Row{{5, 3, 2}, 13.82},
        Row{{1000, 1, 500, 20}, 16.27}, Row{std::vector<std::uint32_t>(31, 7), 59.70}}) {
    const auto candidates = of_weights(row.weights);
    CAPTURE(row.weights);
    CHECK(chi_square(places(candidates), candidates) < row.most);
  }
}

TEST_CASE("hash: the nth server takes a nth of the keys, and nothing else moves",
          "[balance][picker]") {
  for (const std::size_t n : {2, 3, 5, 10}) {
    auto candidates = of_weights(std::vector<std::uint32_t>(n, 1));
    const auto after = places(candidates);
    candidates.pop_back();
    const auto before = places(candidates);
    double moved = 0;
    for (std::size_t key = 0; key < after.size(); ++key) {
      if (before[key] == after[key]) continue;
      ++moved;
      REQUIRE(after[key] == n - 1);
    }
    const double share = 1.0 / static_cast<double>(n);
    const double deviation = std::sqrt(kKeys * share * (1 - share));
    CAPTURE(n, moved);
    CHECK(std::abs(moved - kKeys * share) < 4 * deviation);
  }
}

TEST_CASE("hash: a server that is out gives up its own keys only, to all others",
          "[balance][picker]") {
  auto candidates = of_weights({1, 1, 1, 1});
  const auto before = places(candidates);
  candidates[1].eligible = false;
  const auto after = places(candidates);
  std::vector<int> got(4);
  for (std::size_t key = 0; key < before.size(); ++key) {
    if (before[key] == 1) {
      ++got.at(after[key]);
    } else {
      REQUIRE(after[key] == before[key]);
    }
  }
  CHECK(got[1] == 0);
  for (const std::size_t i : {0, 2, 3}) {
    CHECK(got[i] > 8'000);  // a third of a quarter: 8,333, and four deviations of 75
    CHECK(got[i] < 8'700);
  }
}

TEST_CASE("hash: more weight draws keys and pushes none away", "[balance][picker]") {
  const auto before = places(of_weights({1, 1, 1}));
  const auto after = places(of_weights({1, 2, 1}));
  for (std::size_t key = 0; key < before.size(); ++key) {
    if (before[key] != after[key]) REQUIRE(after[key] == 1);
  }
}

TEST_CASE("hash: the order of the servers does not matter", "[balance][picker]") {
  const auto candidates = of_weights({3, 1, 2});
  const Candidates turned{candidates[2], candidates[0], candidates[1]};
  const auto one = places(candidates);
  const auto other = places(turned);
  const std::size_t where[] = {1, 2, 0};
  for (std::size_t key = 0; key < one.size(); ++key) REQUIRE(other[key] == where[one[key]]);
}

TEST_CASE("hash: bounded load, whatever the keys", "[balance][picker]") {
  struct Row {
    std::vector<std::uint32_t> weights;
    int keys;  // so few that a plain hash would load one server alone
  };

  for (const auto& row : {Row{{1, 1, 1, 1}, 1}, Row{{1, 1, 1, 1}, 5}, Row{{5, 3, 2}, 1},
                          Row{{1, 1, 1, 1}, kKeys}, Row{{1000, 1}, 2}}) {
    auto candidates = of_weights(row.weights);
    double weight = 0;
    for (const auto one : row.weights) weight += one;
    Hash hash;
    CAPTURE(row.weights, row.keys);
    for (int i = 0; i < kKeys; ++i) {
      const auto at = hash.pick(candidates, draw(i % row.keys));
      REQUIRE(at < candidates.size());
      const double most = std::ceil(1.25 * (i + 1) * candidates[at].weight / weight);
      REQUIRE(++candidates[at].sessions <= std::max(most, double{Hash::kFree}));
    }
  }
}

TEST_CASE("hash: one key stays together up to the bound, n-1, n, n+1", "[balance][picker]") {
  auto candidates = of_weights({1, 1, 1});
  Hash hash;
  const auto home = hash.pick(candidates, draw(1));
  candidates[home].sessions = Hash::kFree - 1;
  CHECK(hash.pick(candidates, draw(1)) == home);
  candidates[home].sessions = Hash::kFree;
  const auto next = hash.pick(candidates, draw(1));
  CHECK(next != home);
  // The one passed over is where the key goes were the first not there.
  auto without = candidates;
  without[home].eligible = false;
  CHECK(hash.pick(without, draw(1)) == next);

  // 300 in all: the fair share of the 301st is 100.33, a quarter above it 125.4.
  for (auto& candidate : candidates) candidate.sessions = (300 - 125) / 2;
  candidates[home].sessions = 125;
  candidates[next].sessions += 1;
  CHECK(hash.pick(candidates, draw(1)) == home);
  candidates[home].sessions = 126;
  CHECK(hash.pick(candidates, draw(1)) != home);
}

TEST_CASE("hash: great numbers, and none", "[balance][picker]") {
  Hash hash;
  CHECK(hash.pick({}, draw(1)) == kNoServer);
  auto candidates = of_weights({1000, 1000});
  for (auto& candidate : candidates) candidate.sessions = 4'000'000'000;
  CHECK(hash.pick(candidates, draw(1)) < 2);
  for (auto& candidate : candidates) candidate.eligible = false;
  CHECK(hash.pick(candidates, draw(1)) == kNoServer);
  CHECK(hash.pick(candidates, {}) == kNoServer);
}

TEST_CASE("hash: without a key, least connections", "[balance][picker]") {
  Hash hash;
  auto candidates = of_weights({3, 1});
  for (int i = 0; i < 400; ++i) ++candidates[hash.pick(candidates, {})].sessions;
  CHECK(candidates[0].sessions == 300);
  CHECK(candidates[1].sessions == 100);
}

}  // namespace fairlead::balance
