#pragma once
// The processes a request has been through: how one that comes back is told from a new one,
// whatever address, name or other proxy leads it back.
//
// RFC 9110 7.6.3 gives this to Via. The field here is our own: nginx and IIS answer uncompressed to
// every request that has a Via, and that would be a high price for each request of each app.

#include <string>
#include <string_view>

#include "proxy/wire/head.h"

namespace fairlead::rules {

inline constexpr std::string_view kHopsField = "Fairlead-Via";
// A chain of more is taken for a loop. Each hop is the name of a process: 16 hexadecimal digits.
inline constexpr unsigned kHopsMost = 16;

// Whether the request has been here (`own` is in its list), or has kHopsMost hops behind it. Who
// makes the field up is refused for that request, and nobody else is.
bool is_loop(const wire::Fields& fields, std::string_view own);

// The field for the next hop: the hops that came, without what is none, and `own`.
std::string next_hops(const wire::Fields& fields, std::string_view own);

}  // namespace fairlead::rules
