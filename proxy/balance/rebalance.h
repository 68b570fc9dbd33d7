#pragma once
// Who has too many sessions, and how many of them are to move now. A server's share is its part, by
// weight, of all sessions at servers that take any. One that is above its share by more than the
// skew sheds sessions until it is half the skew above it, so it never swings: the others have room
// below their shares, and none of them begins to shed before it is a whole skew above its own.
//
// Sessions that were moved and have not come back count all the same: the shares stay where they
// were, and when too many are missing nothing more is moved.

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "conf/config.h"
#include "proxy/balance/backoff.h"

namespace fairlead::balance {

struct ServerLoad {
  std::uint64_t id = 0;
  std::uint32_t sessions = 0;
  std::uint32_t weight = 1;
  bool takes_sessions = true;       // ready and up
  std::uint32_t room = UINT32_MAX;  // how many more it takes at most
};

class Rebalance {
 public:
  // So many sessions, in seconds of the rate, may be on their way at a time.
  static constexpr int kOnTheirWay = 30;
  // Those that have not come after it are waited for no more.
  static constexpr std::chrono::minutes kComeBack{5};
  // What is moved is told in bursts of so many seconds of the rate.
  static constexpr int kBurst = 5;

  struct Move {
    std::uint32_t sessions = 0;  // to be moved from it now, at the rate
    bool shedding = false;
  };

  explicit Rebalance(const conf::Rebalance& settings) : settings_(settings) {}

  // Once a second or so; one Move for each server. `moved`: sessions moved so far, in all.
  std::vector<Move> step(std::span<const ServerLoad> loads, std::uint64_t moved,
                         Clock::time_point now);

 private:
  struct Share {
    double fair = 0;
    std::uint32_t keeps = 0;  // it sheds down to this
    bool sheds = false;
  };

  std::uint32_t on_their_way(std::span<const ServerLoad> loads, std::uint64_t moved,
                             Clock::time_point now);
  std::vector<Share> shares(std::span<const ServerLoad> loads, std::uint32_t missing);
  std::uint64_t room(std::span<const ServerLoad> loads, const std::vector<Share>& shares,
                     std::uint32_t missing) const;
  bool is_shedding(std::uint64_t id) const;

  conf::Rebalance settings_;
  std::vector<std::uint64_t> shedding_;  // their ids
  std::vector<ServerLoad> takers_;       // the others that take sessions, as they were last
  std::uint64_t moved_ = 0;              // as told last
  std::uint64_t missing_ = 0;            // of these, not come back
  Clock::time_point since_{};            // when none was missing
  Clock::time_point next_{};             // no burst before it
};

}  // namespace fairlead::balance
