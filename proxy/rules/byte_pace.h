#pragma once
// How much of a stream with a byte rate may be read, and when: never more at once than the bucket
// holds, and in small steps rather than a great deal after a long pause. Pure.

#include <algorithm>
#include <cstddef>

#include "proxy/rules/token_bucket.h"

namespace fairlead::rules {

class BytePace {
 public:
  // A read is worth its system call from so many bytes on.
  static constexpr double kLeast = 1024;
  // Steps a second, where a step is kLeast or more.
  static constexpr double kSteps = 8;

  BytePace() = default;

  BytePace(const conf::Rate& rate, Clock::time_point now)
      : bucket_(rate, now),
        least_(std::clamp(rate.burst, 1.0, kLeast)),
        step_(std::min(std::max(rate.per_second / kSteps, least_), std::max(rate.burst, 1.0))) {}

  // How many bytes one read may take: what the bucket holds. A little more where that is next to
  // nothing: then a debt remains.
  std::size_t most(Clock::time_point now) {
    return static_cast<std::size_t>(std::max(static_cast<double>(bucket_.available(now)), least_));
  }

  // So many have been read; a TLS record that began earlier may have added to what was allowed.
  void charge(std::size_t n, Clock::time_point now) { bucket_.charge(static_cast<double>(n), now); }

  // More was read than the bucket held.
  bool exceeded(Clock::time_point now) { return bucket_.wait(0, now).count() != 0; }

  // How long nothing may be read: until a step's worth is there. 0: go on.
  conf::Millis wait(Clock::time_point now) {
    return bucket_.available(now) != 0 ? conf::Millis{0} : bucket_.wait(step_, now);
  }

 private:
  TokenBucket bucket_;
  double least_ = 1;
  double step_ = 1;
};

}  // namespace fairlead::rules
