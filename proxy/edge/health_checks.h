#pragma once
// The active checks of all backends' servers, in the main thread. Their verdict reaches the workers
// by PoolServer::up alone. Made from a runtime; after a reload made again from the new one: what
// was known of a server stands in its PoolServer.

#include <memory>
#include <vector>

#include "proxy/edge/home.h"
#include "proxy/edge/runtime.h"
#include "proxy/net/loop.h"

namespace fairlead::edge {

class HealthChecks {
 public:
  // Begins at once, the first checks spread over an interval. A server that nobody checks (any
  // more) counts as up.
  HealthChecks(net::Loop& loop, std::shared_ptr<const Runtime> runtime);
  ~HealthChecks();
  HealthChecks(const HealthChecks&) = delete;
  HealthChecks& operator=(const HealthChecks&) = delete;

 private:
  class Target;

  std::shared_ptr<const Runtime> runtime_;
  Random random_;
  std::vector<std::unique_ptr<Target>> targets_;
};

}  // namespace fairlead::edge
