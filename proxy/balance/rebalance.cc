#include "proxy/balance/rebalance.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fairlead::balance {

bool Rebalance::is_shedding(std::uint64_t id) const {
  return std::find(shedding_.begin(), shedding_.end(), id) != shedding_.end();
}

// How many were moved and have not shown up at the servers that take them: whoever comes there
// counts as one of them. What a server brings that has just begun to take says nothing about that.
std::uint32_t Rebalance::on_their_way(std::span<const ServerLoad> loads, std::uint64_t moved,
                                      Clock::time_point now) {
  std::vector<ServerLoad> takers;
  std::int64_t came = 0;
  for (const ServerLoad& load : loads) {
    if (!load.takes_sessions || is_shedding(load.id)) continue;
    takers.push_back(load);
    const auto before = std::find_if(takers_.begin(), takers_.end(),
                                     [&](const ServerLoad& one) { return one.id == load.id; });
    if (before != takers_.end()) came += std::int64_t{load.sessions} - before->sessions;
  }
  takers_ = std::move(takers);
  missing_ += moved - std::exchange(moved_, moved);
  if (came > 0) missing_ -= std::min(missing_, static_cast<std::uint64_t>(came));
  if (now >= since_ + kComeBack) missing_ = 0;
  if (missing_ == 0) since_ = now;
  return static_cast<std::uint32_t>(missing_);
}

std::vector<Rebalance::Share> Rebalance::shares(std::span<const ServerLoad> loads,
                                                std::uint32_t missing) {
  double sessions = missing;
  double weights = 0;
  for (const ServerLoad& load : loads) {
    if (!load.takes_sessions) continue;
    sessions += load.sessions;
    weights += load.weight;
  }
  const double skew = settings_.skew / 100.0;
  std::vector<Share> result(loads.size());
  std::vector<std::uint64_t> shedding;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    if (!loads[i].takes_sessions || weights == 0) continue;
    Share& share = result[i];
    share.fair = sessions * loads[i].weight / weights;
    // A rounding's breadth less: 110.00000000000001 is 110.
    share.keeps = static_cast<std::uint32_t>(std::ceil(share.fair * (1 + skew / 2) - 1e-9));
    const bool above = loads[i].sessions > share.fair * (1 + skew);
    share.sheds = loads[i].sessions > share.keeps && (above || is_shedding(loads[i].id));
    if (share.sheds) shedding.push_back(loads[i].id);
  }
  shedding_ = std::move(shedding);
  return result;
}

// What the others can take until they have their shares, without those that are on their way.
std::uint64_t Rebalance::room(std::span<const ServerLoad> loads, const std::vector<Share>& shares,
                              std::uint32_t missing) const {
  std::uint64_t room = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const auto fair = static_cast<std::uint32_t>(std::ceil(shares[i].fair - 1e-9));
    if (!loads[i].takes_sessions || shares[i].sheds || loads[i].sessions >= fair) continue;
    room += std::min(loads[i].room, fair - loads[i].sessions);
  }
  return room > missing ? room - missing : 0;
}

std::vector<Rebalance::Move> Rebalance::step(std::span<const ServerLoad> loads, std::uint64_t moved,
                                             Clock::time_point now) {
  const std::uint32_t missing = on_their_way(loads, moved, now);
  const std::vector<Share> shared = shares(loads, missing);
  const std::uint64_t room_left = room(loads, shared, missing);
  std::vector<Move> moves(loads.size());
  std::uint64_t excess = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    moves[i].shedding = shared[i].sheds;
    if (shared[i].sheds) excess += loads[i].sessions - shared[i].keeps;
  }
  const double rate = settings_.rate.per_second;
  if (now < next_ || excess == 0 || missing >= std::max(8.0, rate * kOnTheirWay)) return moves;
  const std::uint64_t burst =
      std::min({excess, room_left, static_cast<std::uint64_t>(std::max(1.0, rate * kBurst))});
  if (burst == 0) return moves;
  std::uint64_t left = burst;
  for (std::size_t i = 0; i < loads.size() && left != 0; ++i) {
    if (!shared[i].sheds) continue;
    const std::uint64_t own = loads[i].sessions - shared[i].keeps;
    const std::uint64_t part = std::min({left, own, (burst * own + excess - 1) / excess});
    moves[i].sessions = static_cast<std::uint32_t>(part);
    left -= part;
  }
  const std::chrono::duration<double> lasts(static_cast<double>(burst) / rate);
  next_ = now + std::max(std::chrono::duration_cast<Clock::duration>(lasts),
                         Clock::duration(std::chrono::seconds(1)));
  return moves;
}

}  // namespace fairlead::balance
