#pragma once
// A token bucket in one time stamp, for a rate that every session is under though few come near it
// (GCRA, the "virtual scheduling" of ITU-T I.371). The rate is given with each call.

#include <algorithm>
#include <chrono>

#include "conf/config.h"

namespace fairlead::rules {

class Pacer {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Takes a token, if there is one.
  bool take(const conf::Rate& rate, TimePoint now) {
    if (now < when(rate, 1)) return false;
    full_ = std::max(full_, now) + std::chrono::duration_cast<TimePoint::duration>(step(rate));
    return true;
  }

  // When there are `n` tokens (or all, if that is less), or were.
  TimePoint when(const conf::Rate& rate, double n) const {
    const double others = std::max(std::max(rate.burst, 1.0) - n, 0.0);
    return full_ - std::chrono::duration_cast<TimePoint::duration>(step(rate) * others);
  }

 private:
  static std::chrono::duration<double> step(const conf::Rate& rate) {
    return std::chrono::duration<double>(1 / rate.per_second);
  }

  TimePoint full_{};  // when all tokens are there again
};

}  // namespace fairlead::rules
