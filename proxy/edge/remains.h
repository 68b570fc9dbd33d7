#pragma once
// What reloads have taken out of the configuration while sessions still use it. When it comes back
// they must find it again: the servers of a backend with their counts and their lock, and what a
// route has counted per address. Part of a Runtime, which hands it on to the one after it.

#include <map>
#include <memory>
#include <string>

#include "proxy/balance/pool.h"
#include "proxy/rules/ip_limits.h"

namespace fairlead::edge {

class Runtime;

class Remains {
 public:
  // What `after` has not of all that `before` had, or remembered. What no session uses is
  // forgotten.
  void take(const Runtime& before, const Runtime& after);

  // Null: nothing is known of a backend, or a route, of that name that is still in use.
  const balance::Pool* pool(const std::string& backend) const;
  std::shared_ptr<rules::IpLimits::Table> counts(const std::string& route) const;

 private:
  std::map<std::string, std::shared_ptr<const balance::Pool>> pools_;
  std::map<std::string, std::weak_ptr<rules::IpLimits::Table>> counts_;
};

}  // namespace fairlead::edge
