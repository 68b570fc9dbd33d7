#pragma once
// What the kernel is told of connections that fall silent, with the other limits in mind.

#include "conf/config.h"

namespace fairlead::edge {

// The configuration's tcp_keepalive and tcp_user_timeout, the latter made longer than any
// write_stall: Linux ends a connection by it also when the peer answers its probes but takes
// nothing, and how long that may last is what write_stall says.
conf::TcpTimeouts tcp_timeouts(const conf::Config& config);

}  // namespace fairlead::edge
