#include "proxy/edge/tcp_timeouts.h"

#include <algorithm>

namespace fairlead::edge {

conf::TcpTimeouts tcp_timeouts(const conf::Config& config) {
  conf::TcpTimeouts timeouts = config.timeouts.tcp;
  if (!timeouts.user_timeout) return timeouts;
  conf::Millis longest = config.timeouts.route.write_stall;
  for (const conf::Route& route : config.routes)
    longest = std::max(longest, route.timeouts.write_stall);
  // A stalled peer is found by a part of it late.
  timeouts.user_timeout = std::max(*timeouts.user_timeout, longest + longest / 4);
  return timeouts;
}

}  // namespace fairlead::edge
