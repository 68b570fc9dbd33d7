#include "proxy/balance/least_connections.h"

#include <cstdint>

namespace fairlead::balance {
namespace {

// (a.sessions + 1) / a.weight < (b.sessions + 1) / b.weight without a division. The new session
// counts, so that of empty servers the one with the greater weight comes first.
bool less_loaded(const Candidate& a, const Candidate& b) {
  return (std::uint64_t{a.sessions} + 1) * b.weight < (std::uint64_t{b.sessions} + 1) * a.weight;
}

}  // namespace

std::size_t LeastConnections::pick(std::span<const Candidate> candidates, const Draw&) {
  std::size_t best = kNoServer;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::size_t at = (start_ + i) % candidates.size();
    if (!candidates[at].eligible) continue;
    if (best == kNoServer || less_loaded(candidates[at], candidates[best])) best = at;
  }
  if (best != kNoServer) start_ = best + 1;
  return best;
}

}  // namespace fairlead::balance
