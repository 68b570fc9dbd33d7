#pragma once
// Routes, and hosts of routes, that no request gets to.

#include <cstddef>
#include <string>
#include <vector>

#include "conf/config.h"

namespace fairlead::conf {

struct Shadow {
  std::size_t route = 0;  // this one
  std::string host;       // for this host of its `hosts`; empty: for all it has, or it has none
  std::size_t by = 0;     // since this one is tried first and takes the same; itself: see below
};

// In the order of the routes. A route of kind "http" with subprotocols takes nothing at all: then
// `by` is the route itself.
std::vector<Shadow> shadowed_routes(const std::vector<const Route*>& routes);

}  // namespace fairlead::conf
