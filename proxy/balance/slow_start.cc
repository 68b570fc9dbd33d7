#include "proxy/balance/slow_start.h"

#include <algorithm>

namespace fairlead::balance {

// No product overflows 64 bits: 2^32 sessions, 10,000 servers (conf) with a weight of 1000 each.
bool SlowStart::is_warm(const Candidate& candidate) const {
  return candidate.sessions >= sessions_ ||
         candidate.sessions * weight_ >= candidate.weight * open_;
}

void SlowStart::apply(std::span<Candidate> candidates) {
  weight_ = 0;
  open_ = 0;
  for (const Candidate& candidate : candidates) {
    if (!candidate.eligible) continue;
    weight_ += candidate.weight;
    open_ += candidate.sessions;
  }
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    Candidate& candidate = candidates[i];
    if (!candidate.eligible || !candidate.warming) continue;
    if (is_warm(candidate)) {
      candidate.warming = false;
      credit_[i] = 0;
      continue;
    }
    if (credit_[i] < weight_) credit_[i] += candidate.weight;
    candidate.eligible = credit_[i] >= weight_;
  }
}

void SlowStart::took(std::size_t index) {
  credit_[index] -= std::min(credit_[index], weight_);
}

}  // namespace fairlead::balance
