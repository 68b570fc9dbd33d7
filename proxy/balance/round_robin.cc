#include "proxy/balance/round_robin.h"

namespace fairlead::balance {

std::size_t RoundRobin::pick(std::span<const Candidate> candidates, const Draw&) {
  credit_.resize(candidates.size(), 0);
  std::size_t best = kNoServer;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    // One that cannot be taken earns nothing: it must not come back with credit for a whole outage.
    if (!candidates[i].eligible) continue;
    credit_[i] += candidates[i].weight;
    total += candidates[i].weight;
    if (best == kNoServer || credit_[i] > credit_[best]) best = i;
  }
  if (best != kNoServer) credit_[best] -= total;
  return best;
}

}  // namespace fairlead::balance
