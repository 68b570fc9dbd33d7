#pragma once
// The active checks of all backends' servers, in the main thread. Their verdict reaches the workers
// by PoolServer::up alone. What is known of a server stands in its PoolServer.

#include <memory>
#include <vector>

#include "proxy/edge/home.h"
#include "proxy/edge/runtime.h"
#include "proxy/net/loop.h"

namespace fairlead::edge {

class HealthChecks {
 public:
  HealthChecks(net::Loop& loop, std::shared_ptr<const Runtime> runtime);
  ~HealthChecks();
  HealthChecks(const HealthChecks&) = delete;
  HealthChecks& operator=(const HealthChecks&) = delete;

  // Checks the servers of `runtime` from now on, after a reload. Those that stay, checked as
  // before, keep their times: however often it reloads, each is checked once an interval. New ones
  // begin at a random time within theirs. A server that nobody checks (any more) counts as up.
  void use(std::shared_ptr<const Runtime> runtime);

 private:
  class Target;

  std::unique_ptr<Target> take_over(const balance::PoolServer& server,
                                    const conf::Health& settings);

  net::Loop& loop_;
  std::shared_ptr<const Runtime> runtime_;
  Random random_;
  std::vector<std::unique_ptr<Target>> targets_;  // none is null
};

}  // namespace fairlead::edge
