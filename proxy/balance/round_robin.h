#pragma once
// Smooth weighted round-robin, nginx's way: each pick adds every server's weight to its credit,
// takes the one with the most, and takes the sum of the weights from it. 5:1:1 gives a a b a c a a.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "proxy/balance/picker.h"

namespace fairlead::balance {

class RoundRobin final : public Picker {
 public:
  std::size_t pick(std::span<const Candidate> candidates, const Draw& draw) override;

 private:
  std::vector<std::int64_t> credit_;  // their sum is 0
};

}  // namespace fairlead::balance
