#pragma once
// Whether a browser's page may open a session (RFC 6454, RFC 6455 10.2: the defence against
// cross-site hijacking).

#include <optional>
#include <string_view>
#include <vector>

#include "conf/config.h"

namespace fairlead::rules {

struct OriginQuestion {
  std::optional<std::string_view> origin;  // the Origin header's value; absent: no browser
  std::string_view
      host;             // the Host the client asked for (Client::host), with its port if it has one
  bool secure = false;  // the request came over TLS, here or at a trusted proxy
};

// No Origin is allowed unless require_origin. "null" only where it is listed (or any).
// same-origin: the origin's host and port are the Host's (an absent port is the scheme's default).
// An https page is let in where the request looks plain (TLS may have ended in front of us), an
// http page never into a secure request.
bool origin_allowed(const std::vector<conf::OriginPattern>& allowed, bool require_origin,
                    const OriginQuestion& question);

}  // namespace fairlead::rules
