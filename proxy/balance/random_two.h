#pragma once
// The power of two choices: two different servers are drawn by weight, the one with fewer open
// sessions for its weight takes it. Nearly as even as least-connections, but several nodes that
// each know only their own sessions do not all choose the same server at once.

#include <cstddef>
#include <span>

#include "proxy/balance/picker.h"

namespace fairlead::balance {

class RandomTwo final : public Picker {
 public:
  std::size_t pick(std::span<const Candidate> candidates, const Draw& draw) override;
};

}  // namespace fairlead::balance
