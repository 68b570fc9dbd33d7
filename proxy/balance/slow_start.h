#pragma once
// Slow start, counted in sessions and not in time: a server that just came up has the fewest
// sessions, so least-connections would send it every new one at once. Until it is warm it gets its
// share by weight of the new ones and no more: with W the weight of all that can take one, at most
// ceil(n * weight / W) of n picks. It is warm with `sessions` open ones, or with as many as its
// weight's share of all open ones, whichever is less. From then on the policy alone decides.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "proxy/balance/picker.h"

namespace fairlead::balance {

class SlowStart {
 public:
  SlowStart(std::uint32_t sessions, std::size_t servers) : sessions_(sessions), credit_(servers) {}

  // For one pick among the eligible: takes `warming` from those that are warm, and makes ineligible
  // the others whose turn it is not. Never all: one at least has its share or more.
  void apply(std::span<Candidate> candidates);

  // That pick's outcome.
  void took(std::size_t index);

 private:
  bool is_warm(const Candidate& candidate) const;

  std::uint32_t sessions_;
  std::vector<std::uint64_t> credit_;  // weights gathered since its last turn
  // Of the eligible, in the pick under way.
  std::uint64_t weight_ = 0;
  std::uint64_t open_ = 0;
};

}  // namespace fairlead::balance
