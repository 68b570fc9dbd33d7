#include "proxy/balance/ejection.h"

#include <algorithm>

namespace fairlead::balance {

void Ejection::look(std::span<const Clock::time_point> until, Clock::time_point now) {
  for (const std::size_t i : active_) ejected_[i] = 0;
  active_.clear();
  for (std::size_t i = 0; i < until.size(); ++i) {
    if (now < until[i]) active_.push_back(i);
  }
  const std::size_t most = until.size() / 2;
  if (active_.size() > most) {
    const auto middle = active_.begin() + static_cast<std::ptrdiff_t>(most);
    std::nth_element(active_.begin(), middle, active_.end(), [&](std::size_t a, std::size_t b) {
      return until[a] != until[b] ? until[a] > until[b] : a < b;
    });
    active_.erase(middle, active_.end());
  }
  for (const std::size_t i : active_) ejected_[i] = 1;
}

}  // namespace fairlead::balance
