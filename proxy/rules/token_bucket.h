#pragma once
// A token bucket over a clock the caller reads.

#include <chrono>
#include <cstdint>

#include "conf/config.h"

namespace fairlead::rules {

using Clock = std::chrono::steady_clock;

class TokenBucket {
 public:
  TokenBucket() = default;
  // Begins full. Holds at least one token: "1/m" means one a minute, not never.
  TokenBucket(const conf::Rate& rate, Clock::time_point now);

  // Whole tokens there are now.
  std::uint64_t available(Clock::time_point now);
  // Takes `n` if they are there.
  bool take(double n, Clock::time_point now);
  // Takes `n` in any case; the bucket may go into debt.
  void charge(double n, Clock::time_point now);
  // How long until there are `n` tokens (n <= burst, or until full), rounded up to a millisecond; 0
  // if there are.
  conf::Millis wait(double n, Clock::time_point now);
  bool full(Clock::time_point now);
  // Was made for that rate.
  bool is_for(const conf::Rate& rate) const;

  // Was made for any: the default one limits nothing, and is always full.
  bool limits() const { return burst_ > 0; }

 private:
  double slack() const;
  void refill(Clock::time_point now);

  double rate_ = 0;
  double burst_ = 0;
  double tokens_ = 0;
  Clock::time_point last_{};
};

}  // namespace fairlead::rules
