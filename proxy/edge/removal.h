#pragma once
// What becomes of the sessions of a route or a server that is not there any more (on_removal). The
// session's route decides, in both cases: as the newest configuration that has the route says.

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/edge/runtime.h"

namespace fairlead::edge {

class RemovalPolicies {
 public:
  using Policy = conf::Route::OnRemoval;

  RemovalPolicies(const Runtime& before, const Runtime& after);

  // Of sessions that began with these settings, which may be older than both.
  Policy of(const conf::Route& route) const;

  bool has(Policy policy) const;

  // For the log: what happens to a route's sessions, or to those of one of a backend's servers.
  // "its sessions stay", "its sessions are drained", "its sessions are closed",
  // "its sessions go as their routes say"
  std::string_view route_words(const std::string& name) const;
  std::string_view server_words(const std::string& backend) const;

 private:
  struct Known {
    Policy policy;
    std::string backend;  // before
  };

  std::map<std::string, Known> routes_;  // by name
};

// Which of a scope's sessions an order is about.
struct Removal {
  std::shared_ptr<const RemovalPolicies> policies;
  RemovalPolicies::Policy policy = RemovalPolicies::Policy::drain;

  bool concerns(const conf::Route& route) const { return policies->of(route) == policy; }
};

}  // namespace fairlead::edge
