#pragma once
// A worker's clients that ask nothing at the moment: connections without a request so far, and kept
// ones between two requests. Where connections are short they are the first to go, those that never
// asked before all others.

#include <array>
#include <chrono>

#include "proxy/net/timer.h"

namespace fairlead::edge {

class WaitingRoom {
 public:
  // Who has just come is about to ask: not shed for so long.
  static constexpr std::chrono::milliseconds kPatience{1000};

  // A client's place in it, a part of the client. Leaves by itself at its end.
  class Seat {
   public:
    Seat() = default;
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

   protected:
    virtual ~Seat() {
      if (room_ != nullptr) room_->leave(*this);
    }

   private:
    friend class WaitingRoom;
    // Has left already: its descriptor and its place are given back before this returns.
    virtual void shed() = 0;

    WaitingRoom* room_ = nullptr;
    Seat* previous_ = nullptr;
    Seat* next_ = nullptr;
    bool asked_ = false;
    net::TimePoint since_{};
  };

  // Does nothing to one that waits already. `asked`: it has had an answer before.
  void enter(Seat& seat, bool asked, net::TimePoint now) {
    if (seat.room_ != nullptr) return;
    Line& line = lines_[asked ? 1 : 0];
    seat.room_ = this;
    seat.asked_ = asked;
    seat.since_ = now;
    seat.previous_ = line.last;
    seat.next_ = nullptr;
    (line.last != nullptr ? line.last->next_ : line.first) = &seat;
    line.last = &seat;
  }

  void leave(Seat& seat) {
    if (seat.room_ == nullptr) return;
    Line& line = lines_[seat.asked_ ? 1 : 0];
    (seat.previous_ != nullptr ? seat.previous_->next_ : line.first) = seat.next_;
    (seat.next_ != nullptr ? seat.next_->previous_ : line.last) = seat.previous_;
    seat.room_ = nullptr;
  }

  // Ends the one that has waited longest, of those that never asked before the others. False: none
  // has waited for kPatience.
  bool shed_one(net::TimePoint now) {
    for (Line& line : lines_) {
      Seat* const seat = line.first;
      if (seat == nullptr || now - seat->since_ < kPatience) continue;
      leave(*seat);
      seat->shed();
      return true;
    }
    return false;
  }

 private:
  struct Line {
    Seat* first = nullptr;
    Seat* last = nullptr;
  };

  std::array<Line, 2> lines_{};  // never asked; between two requests
};

}  // namespace fairlead::edge
