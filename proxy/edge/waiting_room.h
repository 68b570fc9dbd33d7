#pragma once
// A worker's clients that ask nothing at the moment: connections without a request so far, and kept
// ones between two requests. Where connections are short they are the first to go, those that never
// asked before all others.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "proxy/net/timer.h"

namespace fairlead::edge {

class WaitingRoom {
 public:
  WaitingRoom() = default;
  WaitingRoom(const WaitingRoom&) = delete;
  WaitingRoom& operator=(const WaitingRoom&) = delete;

  // Who has just come is about to ask: not shed for so long.
  static constexpr std::chrono::milliseconds kPatience{1000};

  // All workers' clients, as each room has to know of them.
  struct Crowd {
    std::atomic<std::uint32_t> fresh{0};  // those that never asked
    std::uint32_t rooms = 1;              // each with about as many
  };

  // `crowd` outlives it; set before the first client comes.
  void share(Crowd& crowd) { crowd_ = &crowd; }

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
    ++line.size;
    if (!asked) crowd_->fresh.fetch_add(1, std::memory_order_relaxed);
  }

  void leave(Seat& seat) {
    if (seat.room_ == nullptr) return;
    Line& line = lines_[seat.asked_ ? 1 : 0];
    (seat.previous_ != nullptr ? seat.previous_->next_ : line.first) = seat.next_;
    (seat.next_ != nullptr ? seat.next_->previous_ : line.last) = seat.previous_;
    seat.room_ = nullptr;
    --line.size;
    if (!seat.asked_) crowd_->fresh.fetch_sub(1, std::memory_order_relaxed);
  }

  // Ends the one that has waited longest, of those that never asked before the others. False: none
  // has waited for kPatience; or only such have that asked before, and those that never did are no
  // longer few beside them: a flood of connections that ask nothing must not drive them out.
  bool shed_one(net::TimePoint now) {
    if (shed_first(lines_[0], now)) return true;
    if (crowd_->fresh.load(std::memory_order_relaxed) > few()) return false;
    return shed_first(lines_[1], now);
  }

 private:
  static constexpr std::size_t kKeptToFresh = 8;

  struct Line {
    Seat* first = nullptr;
    Seat* last = nullptr;
    std::size_t size = 0;
  };

  // So many that never asked, of all rooms, are few beside those that did.
  std::size_t few() const { return 1 + crowd_->rooms * lines_[1].size / kKeptToFresh; }

  bool shed_first(Line& line, net::TimePoint now) {
    Seat* const seat = line.first;
    if (seat == nullptr || now - seat->since_ < kPatience) return false;
    leave(*seat);
    seat->shed();
    return true;
  }

  Crowd own_;  // where there is one room only
  Crowd* crowd_ = &own_;
  std::array<Line, 2> lines_{};  // never asked; between two requests
};

}  // namespace fairlead::edge
