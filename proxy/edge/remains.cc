#include "proxy/edge/remains.h"

#include <algorithm>

#include "proxy/edge/runtime.h"

namespace fairlead::edge {
namespace {

bool has_pool(const Runtime& runtime, const std::string& name) {
  const auto& pools = runtime.pools();
  return std::any_of(pools.begin(), pools.end(),
                     [&](const auto& pool) { return pool->name() == name; });
}

bool counts_for(const Runtime& runtime, const std::string& route) {
  const auto& routes = runtime.routes();
  return std::any_of(routes.begin(), routes.end(), [&](const RouteRuntime& one) {
    return one.settings->name == route && one.limits;
  });
}

}  // namespace

void Remains::take(const Runtime& before, const Runtime& after) {
  *this = before.remains();
  for (const auto& pool : before.pools()) pools_[pool->name()] = pool;
  for (const RouteRuntime& route : before.routes()) {
    if (route.limits) counts_[route.settings->name] = route.limits->table();
  }
  std::erase_if(
      pools_, [&](const auto& one) { return has_pool(after, one.first) || !one.second->in_use(); });
  std::erase_if(counts_, [&](const auto& one) {
    return counts_for(after, one.first) || one.second.expired();
  });
}

const balance::Pool* Remains::pool(const std::string& backend) const {
  const auto found = pools_.find(backend);
  return found != pools_.end() && found->second->in_use() ? found->second.get() : nullptr;
}

std::shared_ptr<rules::IpLimits::Table> Remains::counts(const std::string& route) const {
  const auto found = counts_.find(route);
  return found == counts_.end() ? nullptr : found->second.lock();
}

}  // namespace fairlead::edge
