#pragma once
// When to give memory back to the system. glibc keeps what thousands of ended sessions leave behind
// until the last byte of an arena's end is free, which after a storm is hardly ever.

#include <algorithm>
#include <cstdint>

namespace fairlead::edge {

class HeapReturn {
 public:
  // Fewer than these are not worth a walk through the heap, which holds up allocations meanwhile.
  static constexpr std::uint32_t kWorthIt = 1000;

  // To be asked every few seconds with the number of connections. True once after so many have
  // ended that less than half is left of what there was at most.
  bool due(std::uint32_t open) {
    most_ = std::max(most_, open);
    if (most_ - open < kWorthIt || open > most_ / 2) return false;
    most_ = open;
    return true;
  }

 private:
  std::uint32_t most_ = 0;
};

}  // namespace fairlead::edge
