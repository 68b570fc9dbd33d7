#include "proxy/edge/removal.h"

#include <algorithm>
#include <optional>

namespace fairlead::edge {
namespace {

using Policy = RemovalPolicies::Policy;

std::string_view words(Policy policy) {
  switch (policy) {
    case Policy::keep:
      break;
    case Policy::drain:
      return "its sessions are drained";
    case Policy::close:
      return "its sessions are closed";
  }
  return "its sessions stay";
}

}  // namespace

RemovalPolicies::RemovalPolicies(const Runtime& before, const Runtime& after) {
  for (const RouteRuntime& route : before.routes())
    routes_[route.settings->name] = {route.settings->on_removal, route.settings->backend};
  for (const RouteRuntime& route : after.routes()) {
    const conf::Route& settings = *route.settings;
    routes_.try_emplace(settings.name, Known{settings.on_removal, settings.backend})
        .first->second.policy = settings.on_removal;
  }
}

Policy RemovalPolicies::of(const conf::Route& route) const {
  auto found = routes_.find(route.name);
  return found == routes_.end() ? route.on_removal : found->second.policy;
}

bool RemovalPolicies::has(Policy policy) const {
  return std::any_of(routes_.begin(), routes_.end(),
                     [policy](const auto& one) { return one.second.policy == policy; });
}

std::string_view RemovalPolicies::route_words(const std::string& name) const {
  auto found = routes_.find(name);
  return words(found == routes_.end() ? Policy::keep : found->second.policy);
}

std::string_view RemovalPolicies::server_words(const std::string& backend) const {
  std::optional<Policy> all;
  for (const auto& [name, known] : routes_) {
    if (known.backend != backend) continue;
    if (all && *all != known.policy) return "its sessions go as their routes say";
    all = known.policy;
  }
  return words(all.value_or(Policy::keep));
}

}  // namespace fairlead::edge
