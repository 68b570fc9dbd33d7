#pragma once
// One-shot timers in a hierarchical wheel: arm, disarm and fire are O(1), a sleeping timer costs
// nothing. Meant to be armed lazily: a deadline that moves away is not touched; the timer fires
// early, its handler looks at the clock and arms again.

#include <array>
#include <chrono>
#include <cstdint>

namespace fairlead::net {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

class TimerWheel;

// Owned by what it serves; disarms itself when destroyed. One thread only.
class Timer {
 public:
  class Handler {
   public:
    // The deadline has come. The timer is disarmed already and may be armed again or destroyed.
    virtual void on_timer(Timer& timer) = 0;

   protected:
    ~Handler() = default;
  };

  Timer(TimerWheel& wheel, Handler& handler) : wheel_(wheel), handler_(handler) {}

  ~Timer() { disarm(); }

  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Fires at `deadline` or up to one tick later, whatever it was armed for before.
  void arm(TimePoint deadline);
  // Makes sure it fires no later than `deadline`: an earlier one stays as it is.
  void arm_by(TimePoint deadline);
  void disarm();

  bool armed() const { return tick_ != 0; }

 private:
  friend class TimerWheel;

  TimerWheel& wheel_;
  Handler& handler_;
  Timer* next_ = nullptr;
  Timer** link_ = nullptr;  // what points at this one
  std::uint64_t tick_ = 0;  // 0: not armed
};

// Four levels of 64 slots, a tick of 4 ms: reaches 18 hours; what lies beyond is put as far as it
// goes and sorted again when it comes up.
class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{4};

  explicit TimerWheel(TimePoint start) : start_(start) {}

  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Fires all that is due. Handlers may arm, disarm and destroy any timer.
  void advance(TimePoint now);
  // When advance() has to be called next, at the latest; TimePoint::max() when nothing is armed.
  TimePoint next() const;

 private:
  friend class Timer;
  static constexpr unsigned kBits = 6;
  static constexpr unsigned kSlots = 1U << kBits;
  static constexpr unsigned kLevels = 4;

  std::uint64_t tick_of(TimePoint time) const;  // rounded up
  void insert(Timer& timer);
  void cascade(unsigned level);
  std::uint64_t next_tick() const;
  static void link(Timer*& head, Timer& timer);
  static void unlink(Timer& timer);

  TimePoint start_;
  std::uint64_t now_tick_ = 0;
  std::array<std::uint64_t, kLevels> occupied_{};  // hints: a set bit may stand for an empty slot
  std::array<std::array<Timer*, kSlots>, kLevels> slots_{};
  Timer* due_ = nullptr;
};

}  // namespace fairlead::net
