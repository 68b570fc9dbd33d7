#pragma once
// When a peer is pinged and when it is given up: pure, so that a table can test it.

#include <optional>

#include "conf/config.h"
#include "proxy/net/timer.h"

namespace fairlead::edge {

using net::TimePoint;

struct KeepaliveSettings {
  std::optional<conf::Millis> interval;  // absent: never
  conf::Millis timeout{0};
};

// What is known of one peer.
struct KeepaliveState {
  TimePoint heard;   // the last byte that came from it
  TimePoint pinged;  // when an unanswered Ping of ours was sent; meaningful with `waiting`
  bool waiting = false;
};

struct KeepaliveStep {
  enum class Action : std::uint8_t { none, ping, dead };
  Action action = Action::none;
  TimePoint next;  // when to ask again, at the latest
};

// Any byte counts as a sign of life: a Ping that waits is forgotten once something was heard after
// it.
KeepaliveStep keepalive(const KeepaliveSettings& settings, const KeepaliveState& state,
                        TimePoint now);

}  // namespace fairlead::edge
