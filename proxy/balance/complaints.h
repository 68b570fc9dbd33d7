#pragma once
// How often what a server does wrong is written to the log: at once, then no more than one line
// each kEvery, which says how many were left out. A server that is down must not fill the disk.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace fairlead::balance {

// Any thread.
class Complaints {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kEvery{10};

  // Something went wrong at `now`. Nothing: it is not to be written. Otherwise how many were left
  // out since the last one that was.
  std::optional<std::uint32_t> note(Clock::time_point now) {
    const Clock::rep at = now.time_since_epoch().count();
    Clock::rep next = next_.load(std::memory_order_relaxed);
    const Clock::rep after = at + Clock::duration(kEvery).count();
    if (at < next || !next_.compare_exchange_strong(next, after, std::memory_order_relaxed)) {
      left_out_.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    return left_out_.exchange(0, std::memory_order_relaxed);
  }

 private:
  std::atomic<Clock::rep> next_{Clock::time_point::min().time_since_epoch().count()};
  std::atomic<std::uint32_t> left_out_{0};
};

}  // namespace fairlead::balance
