// What is known of a pool's servers, for those who look.

#include <algorithm>

#include "proxy/balance/pool.h"

namespace fairlead::balance {
namespace {

using State = Condition::State;

std::optional<Clock::time_point> known(Clock::time_point at) {
  return at == Clock::time_point{} ? std::nullopt : std::optional(at);
}

}  // namespace

Condition Pool::condition(std::size_t index, Clock::time_point now) const {
  const std::lock_guard lock(*mutex_);
  const PoolServer& server = *servers_[index];
  const ServerRecord& record = server.record;
  const Clock::time_point set(Clock::duration(server.admin_since.load(std::memory_order_relaxed)));
  const bool up = server.up.load(std::memory_order_relaxed);
  const bool failing = server.backoff.failing(now);
  Condition condition;
  condition.works = up && !failing;
  condition.last_error = record.last_error;
  condition.last_error_at = record.last_error_at;
  switch (server.admin.load(std::memory_order_relaxed)) {
    case AdminState::drain:
      condition.state = State::drain;
      condition.since = known(set);
      return condition;
    case AdminState::down:
      condition.state = State::down;
      condition.reason = "set by an operator";
      condition.since = known(set);
      return condition;
    case AdminState::ready:
      break;
  }
  if (!up) {
    condition.state = State::down;
    condition.reason = record.down_for;
    condition.since = known(record.checked_since);
  } else if (failing) {
    condition.state = State::ejected;
    condition.reason = record.ejected_for;
    condition.since = server.backoff.since();
    condition.left = std::max(server.backoff.until() - now, Clock::duration{});
  } else {
    condition.since = known(std::max({set, record.checked_since, record.recovered}));
  }
  return condition;
}

}  // namespace fairlead::balance
