#pragma once
// How long a server that failed to connect is avoided: 1 s, doubled by each failure in a row up to
// 30 s, +-20 % jitter so that proxies do not come back all at once. Failures that arrive while it
// is avoided already are of connects begun before (or of a last resort): a hundred of them at once
// are one outage, not a hundred in a row.

#include <chrono>
#include <cstdint>

namespace fairlead::balance {

using Clock = std::chrono::steady_clock;

class Backoff {
 public:
  // `random` is a uniform 32-bit number.
  void failed(Clock::time_point now, std::uint32_t random);
  void succeeded();

  bool active(Clock::time_point now) const { return now < until_; }

  // Whether it is to be called failing: the last try failed, and it is avoided, or was until a
  // moment ago without anybody having tried it since. After kForget nobody knows any more.
  bool failing(Clock::time_point now) const { return failures_ != 0 && now < until_ + kForget; }

  // The first failure in a row; meaningful with failures().
  Clock::time_point since() const { return since_; }

  Clock::time_point until() const { return until_; }

  unsigned failures() const { return failures_; }

  static constexpr std::chrono::seconds kForget{60};

 private:
  unsigned failures_ = 0;
  Clock::time_point since_{};
  Clock::time_point until_{};
};

}  // namespace fairlead::balance
