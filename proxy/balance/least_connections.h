#pragma once
// The fewest open sessions for its weight.

#include <cstddef>
#include <span>

#include "proxy/balance/picker.h"

namespace fairlead::balance {

class LeastConnections final : public Picker {
 public:
  std::size_t pick(std::span<const Candidate> candidates, const Draw& draw) override;

 private:
  std::size_t start_ = 0;  // the search begins here: after the one chosen last
};

}  // namespace fairlead::balance
