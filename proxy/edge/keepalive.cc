#include "proxy/edge/keepalive.h"

#include <algorithm>

namespace fairlead::edge {

KeepaliveStep keepalive(const KeepaliveSettings& settings, const KeepaliveState& state,
                        TimePoint now) {
  using Action = KeepaliveStep::Action;
  if (!settings.interval) return {Action::none, TimePoint::max()};
  if (state.waiting && state.heard < state.pinged) {
    TimePoint give_up = state.pinged + settings.timeout;
    if (now >= give_up) return {Action::dead, TimePoint::max()};
    return {Action::none,
            std::min(give_up, now + *settings.interval)};  // its Pong may come at any time
  }
  TimePoint due = state.heard + *settings.interval;
  if (now < due) return {Action::none, due};
  return {Action::ping, now + std::min(settings.timeout, *settings.interval)};
}

}  // namespace fairlead::edge
