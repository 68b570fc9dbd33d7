#include "proxy/balance/sid_table.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace fairlead::balance {
namespace {

// How many expired entries a new one removes of each list: more than it adds, so that they do not
// pile up, and few enough that nobody waits.
constexpr std::size_t kExpireAtOnce = 4;

}  // namespace

SidTable::SidTable(std::size_t max_entries)
    : max_per_stripe_(std::max<std::size_t>(1, max_entries / kStripes)) {}

SidTable::Stripe& SidTable::stripe(std::string_view sid) {
  // Bits from the middle: the map inside uses the hash modulo its size.
  return stripes_[(std::hash<std::string_view>{}(sid) >> 32) % kStripes];
}

void SidTable::expire(Stripe& stripe, List& list, std::size_t most, Clock::time_point now) {
  for (std::size_t i = 0; i < most && !list.empty() && list.front().until <= now; ++i) {
    stripe.by_sid.erase(list.front().sid);
    list.pop_front();
  }
}

void SidTable::learn(std::string_view sid, std::uint64_t server, Clock::time_point now) {
  Stripe& home = stripe(sid);
  const std::lock_guard lock(home.mutex);
  expire(home, home.fresh, kExpireAtOnce, now);
  expire(home, home.used, kExpireAtOnce, now);
  if (const auto known = home.by_sid.find(sid); known != home.by_sid.end()) {
    const List::iterator entry = known->second;
    if (entry->until > now) return;
    home.by_sid.erase(known);
    (entry->used ? home.used : home.fresh).erase(entry);
  }
  if (home.by_sid.size() >= max_per_stripe_) return;
  home.fresh.push_back({std::string(sid), server, now + kUntilUsed, false});
  home.by_sid.emplace(home.fresh.back().sid, std::prev(home.fresh.end()));
}

std::optional<std::uint64_t> SidTable::use(std::string_view sid, Clock::time_point now) {
  Stripe& home = stripe(sid);
  const std::lock_guard lock(home.mutex);
  const auto known = home.by_sid.find(sid);
  if (known == home.by_sid.end()) return std::nullopt;
  const List::iterator entry = known->second;
  if (entry->until <= now) return std::nullopt;
  home.used.splice(home.used.end(), entry->used ? home.used : home.fresh, entry);
  entry->used = true;
  entry->until = now + kAfterUse;
  return entry->server;
}

std::size_t SidTable::entries() const {
  std::size_t sum = 0;
  for (const auto& stripe : stripes_) {
    const std::lock_guard lock(stripe.mutex);
    sum += stripe.by_sid.size();
  }
  return sum;
}

}  // namespace fairlead::balance
