#pragma once

#include <cstdint>

namespace fairlead::observe {

// Lines of the two logs that were never written since the start: their reader or disk did not take
// them.
struct LostLines {
  std::uint64_t main = 0;
  std::uint64_t access = 0;
};

}  // namespace fairlead::observe
