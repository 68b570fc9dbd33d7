#pragma once
// Whether a peer takes what is sent to it, judged by what its machine has acknowledged and not by
// our own queue alone: the kernel may hold megabytes, which a slow link takes minutes for. Pure:
// the caller asks the kernel and gives the clock.

#include <algorithm>
#include <cstdint>

#include "conf/config.h"
#include "proxy/net/timer.h"

namespace fairlead::net {

class Progress {
 public:
  // A peer is looked at so often within the time it may take nothing: by this part of it a stalled
  // one is found late, and none is found early.
  static constexpr int kLooks = 16;

  static conf::Millis look_interval(conf::Millis limit) {
    return std::max(limit / kLooks, conf::Millis{1});
  }

  // The watch begins. `unacknowledged`: what the kernel holds and the peer has not acknowledged.
  Progress(TimePoint now, std::uint64_t unacknowledged)
      : looked_(now), since_(now), written_(unacknowledged), unacknowledged_(unacknowledged) {}

  // The kernel has taken `n` bytes more.
  void wrote(std::uint64_t n) { written_ += n; }

  // The kernel had no room, and has some again: the peer takes bytes.
  void moved(TimePoint now) { since_ = now; }

  // What the kernel says now. On a unix socket it counts its own overhead too: hence both ways.
  void look(TimePoint now, std::uint64_t unacknowledged) {
    const std::uint64_t acknowledged = written_ - std::min(written_, unacknowledged);
    if (acknowledged > acknowledged_ || unacknowledged < unacknowledged_) since_ = now;
    acknowledged_ = std::max(acknowledged_, acknowledged);
    unacknowledged_ = unacknowledged;
    looked_ = now;
  }

  // Since when the peer has taken nothing, as far as the looks could tell: never too early.
  TimePoint since() const { return since_; }

  TimePoint looked() const { return looked_; }

  // Marks the end of what was written so far, with `held` bytes that the kernel has not got yet.
  void mark(std::uint64_t held) { mark_ = written_ + held; }

  void clear_mark() { mark_ = 0; }

  bool marked() const { return mark_ != 0; }

  // The peer had all up to the mark at the last look.
  bool reached_mark() const { return unacknowledged_ == 0 || acknowledged_ >= mark_; }

 private:
  TimePoint looked_;
  TimePoint since_;
  std::uint64_t written_;           // since the watch began, and what was unacknowledged then
  std::uint64_t acknowledged_ = 0;  // ... of it
  std::uint64_t unacknowledged_;
  std::uint64_t mark_ = 0;
};

}  // namespace fairlead::net
