#pragma once
// Host and the request target (RFC 9110 7.2, RFC 9112 3.2).

#include <string_view>

#include "proxy/wire/head.h"

namespace fairlead::wire {

// A host with an optional port: a name or IPv4 address of letters, digits, '-', '.', '_' and '~',
// or an IPv6 address in brackets. Narrower than RFC 3986 3.2.2: percent-encoding and sub-delims
// name no host in use and are read differently by different servers. User information, an empty
// host are refused. An empty port is an absent one (RFC 3986 3.2.3).
bool is_authority(std::string_view text);

// Sets host (absolute-form only), path and query out of method and target. False: no form that is
// served.
bool split_target(RequestHead& head);

}  // namespace fairlead::wire
