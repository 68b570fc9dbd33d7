#pragma once
// Which servers are kept from new sessions because they failed: those in backoff, but never more
// than half of all (rounded down). Where more than that are in backoff, the ones whose backoff ends
// last are ejected and the others stay in: a fault that hits everybody, or sits with us, must not
// put the whole load on the few that seem well.

#include <cstddef>
#include <span>
#include <vector>

#include "proxy/balance/backoff.h"

namespace fairlead::balance {

class Ejection {
 public:
  explicit Ejection(std::size_t servers) : ejected_(servers) {}

  // For the pick at `now`. until[i]: when server i's backoff ends. O(servers).
  void look(std::span<const Clock::time_point> until, Clock::time_point now);

  bool ejected(std::size_t index) const { return ejected_[index] != 0; }

 private:
  std::vector<char> ejected_;
  std::vector<std::size_t> active_;  // scratch: those in backoff
};

}  // namespace fairlead::balance
