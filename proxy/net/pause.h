#pragma once
// Notices that a thread's loop did not run for a while, although a deadline was due: the process
// was stopped (SIGSTOP), its machine was frozen, or a turn took too long. Whoever was to answer
// meanwhile may have done so, and it waits in a socket or is on its way: deadlines are judged a
// little later, so that it is read first. Pure: the caller reads the clock.

#include <algorithm>
#include <utility>

#include "conf/config.h"
#include "proxy/net/timer.h"

namespace fairlead::net {

class Pause {
 public:
  static constexpr conf::Millis kLate{500};    // later than that: it did not run
  static constexpr conf::Millis kGrace{1000};  // for what the peers say to arrive and be read

  // A turn has waited, and a deadline that was due at `due` has come. `before`: the clock in the
  // turn before. A wait after which deadlines are judged is never followed by another at once: a
  // loop that is always late judges late, but does.
  void woke(TimePoint due, TimePoint before, TimePoint now) {
    if (std::exchange(waited_, false)) return;
    if (now - std::max(due, before) <= kLate) return;
    until_ = now + kGrace;
    waited_ = true;
  }

  // Nothing is judged before.
  TimePoint until() const { return until_; }

 private:
  TimePoint until_{};
  bool waited_ = false;
};

}  // namespace fairlead::net
