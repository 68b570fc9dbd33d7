#include "proxy/balance/round_robin.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

using Candidates = std::vector<Candidate>;

Candidates of_weights(std::initializer_list<std::uint32_t> weights) {
  Candidates candidates;
  for (const auto weight : weights) candidates.push_back({weight, 0, true});
  return candidates;
}

// "abc..." for the servers picked; '-' for none.
std::string picks(Picker& picker, const Candidates& candidates, int n) {
  std::string text;
  for (int i = 0; i < n; ++i) {
    const auto chosen = picker.pick(candidates, {});
    text += chosen == kNoServer ? '-' : static_cast<char>('a' + chosen);
  }
  return text;
}

std::string first_picks(std::initializer_list<std::uint32_t> weights, int n) {
  const auto picker = make_picker(conf::Backend::Balance::round_robin);
  return picks(*picker, of_weights(weights), n);
}

}  // namespace

TEST_CASE("round robin: weighted, and smooth", "[balance][picker]") {
  CHECK(first_picks({1, 1, 1}, 7) == "abcabca");
  CHECK(first_picks({5, 1, 1}, 14) == "aabacaaaabacaa");
  CHECK(first_picks({2, 1}, 6) == "abaaba");
  CHECK(first_picks({3, 2, 1}, 12) == "abacbaabacba");
  CHECK(first_picks({4}, 3) == "aaa");
  CHECK(first_picks({}, 2) == "--");
}

TEST_CASE("round robin: sessions do not matter", "[balance][picker]") {
  RoundRobin picker;
  CHECK(picks(picker, {{1, 1000, true}, {1, 0, true}}, 4) == "abab");
}

TEST_CASE("round robin: one that is out earns nothing meanwhile", "[balance][picker]") {
  RoundRobin picker;
  auto candidates = of_weights({1, 1, 1});
  CHECK(picks(picker, candidates, 3) == "abc");
  candidates[1].eligible = false;
  CHECK(picks(picker, candidates, 100).find('b') == std::string::npos);
  candidates[1].eligible = true;
  // Back, it gets its share and not a hundred in a row.
  const auto after = picks(picker, candidates, 9);
  CHECK(std::count(after.begin(), after.end(), 'b') == 3);
  for (auto& candidate : candidates) candidate.eligible = false;
  CHECK(picks(picker, candidates, 3) == "---");
}

TEST_CASE("round robin: 100,000 picks follow the weights, and any run of them nearly",
          "[balance][picker]") {
  const auto candidates = of_weights({5, 1, 3, 100, 1000});
  const std::int64_t total = 1109;
  RoundRobin picker;
  std::vector<std::int64_t> counts(candidates.size());
  for (std::int64_t i = 1; i <= 100'000; ++i) {
    ++counts[picker.pick(candidates, {})];
    for (std::size_t at = 0; at < counts.size(); ++at) {
      // Never a whole number of servers away from its share i * weight / total.
      const auto off = counts[at] * total - i * candidates[at].weight;
      REQUIRE(off < total * static_cast<std::int64_t>(counts.size()));
      REQUIRE(-off < total * static_cast<std::int64_t>(counts.size()));
      // And after each whole round exactly there.
      if (i % total == 0) REQUIRE(off == 0);
    }
  }
}

}  // namespace fairlead::balance
