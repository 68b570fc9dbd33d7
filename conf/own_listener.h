#pragma once
// A server that is a listener of ours: each request to it would come back.

#include <string>
#include <vector>

#include "conf/ip.h"

namespace fairlead::conf {

// Whether what is sent to `server` arrives at `listener`, as far as addresses show it. `machine`:
// the addresses this machine has besides loopback; none: they are not known here. A name other than
// localhost may lead anywhere.
bool leads_to(const Address& server, const Address& listener, const std::vector<Ip>& machine);

// What is to be said of it.
std::string own_listener_text(const Address& server, const Address& listener);

}  // namespace fairlead::conf
