#pragma once
// May this request go on, and where to? Runs the checks in a fixed order: whether it has been here,
// WebSocket version and key of a handshake, the path (can it be read in one way?), route, draining,
// then for handshakes origin, rate and connections of the address. Nothing is dialled before the
// answer is Admit.

#include <cstddef>
#include <optional>

#include "conf/config.h"
#include "proxy/rules/failure.h"
#include "proxy/rules/forward.h"
#include "proxy/rules/ip_limits.h"
#include "proxy/rules/router.h"
#include "proxy/wire/head.h"

namespace fairlead::rules {

// What Retry-After says at least, as nobody can know: a 503, and a 429.
inline constexpr conf::Millis kRetryUnavailable{5'000};
inline constexpr conf::Millis kRetryLimited{1'000};

struct Admission {
  std::optional<Cause> refused;       // absent: admitted
  conf::Millis retry_after{0};        // for 429 and 503
  std::size_t route = Router::kNone;  // set as soon as it is known, also when refused
  bool websocket = false;
  bool counted = false;  // the route's IpLimits::leave must follow when the session ends
};

struct AdmissionRules {
  const std::vector<conf::Route>& routes;
  const Router& router;
  // The limits of route i, or null where it has none.
  const std::vector<IpLimits*>& limits;
  std::string_view hop = {};  // this process, see hops.h; empty: loops are not looked for
};

Admission admit(const wire::RequestHead& head, const Client& client, const AdmissionRules& rules,
                bool draining, Clock::time_point now);

}  // namespace fairlead::rules
