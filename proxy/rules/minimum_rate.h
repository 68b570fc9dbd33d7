#pragma once
// Whether a peer moves bytes as fast as it has to ([timeouts] min_body_rate, min_send_rate). Only
// the time counts in which it was waited for: what a third party held up is not its fault. Who
// keeps the rate may stop for kGrace; who was faster, for kMost.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace fairlead::rules {

class MinimumRate {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kGrace{20};
  static constexpr std::chrono::seconds kMost{60};

  // From `now` on it is waited for, or not. Either may be said again.
  void wait(Clock::time_point now) {
    if (waiting_) return;
    waiting_ = true;
    since_ = now;
  }

  void pause(Clock::time_point now) {
    count(now);
    waiting_ = false;
  }

  // It moved `bytes`; `per_second` is more than 0.
  void moved(std::uint64_t bytes, double per_second, Clock::time_point now) {
    count(now);
    const std::chrono::duration<double> earned(static_cast<double>(bytes) / per_second);
    left_ = earned >= kMost ? Clock::duration(kMost)
                            : std::min(left_ + std::chrono::duration_cast<Clock::duration>(earned),
                                       Clock::duration(kMost));
  }

  // When it will have been too slow, should nothing come until then; never while it is not waited
  // for.
  Clock::time_point due() const { return waiting_ ? since_ + left_ : Clock::time_point::max(); }

 private:
  void count(Clock::time_point now) {
    if (!waiting_) return;
    left_ -= now - since_;
    since_ = now;
  }

  Clock::duration left_{kGrace};
  Clock::time_point since_{};
  bool waiting_ = false;
};

}  // namespace fairlead::rules
