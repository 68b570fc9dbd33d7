#include "proxy/balance/rise_fall.h"

namespace fairlead::balance {

bool RiseFall::note(bool good, std::uint32_t needed) {
  const bool first = !checked_;
  checked_ = true;
  if (good == up_) {
    against_ = 0;
    return false;
  }
  if (!first && ++against_ < needed) return false;
  up_ = good;
  against_ = 0;
  return true;
}

}  // namespace fairlead::balance
