#pragma once
// What a configuration becomes when it runs: an immutable snapshot that sessions keep to their end.

#include <memory>
#include <string>
#include <vector>

#include "conf/config.h"
#include "proxy/balance/pool.h"
#include "proxy/edge/keepalive.h"
#include "proxy/rules/ip_limits.h"
#include "proxy/rules/router.h"
#include "proxy/wire/frame_scanner.h"
#include "tls/context.h"

namespace fairlead::edge {

// A route with what its sessions share.
struct RouteRuntime {
  const conf::Route* settings = nullptr;
  std::shared_ptr<balance::Pool> pool;
  std::unique_ptr<rules::IpLimits> limits;  // null: none
  wire::ScanRules from_client;
  wire::ScanRules from_backend;
  KeepaliveSettings ping_client;
  KeepaliveSettings ping_backend;
};

struct ListenerRuntime {
  const conf::Listener* settings = nullptr;
  std::shared_ptr<const tls::ServerContext> tls;  // null: plain
  std::string name;                               // its address, with the port it got
  std::uint16_t port = 0;
};

// The rules of one route's sessions, without the sharing: what the tunnel's tests build by hand.
RouteRuntime make_route(const conf::Route& route, std::shared_ptr<balance::Pool> pool);

class Runtime {
 public:
  struct Made;

  // Resolves names, reads certificates, builds pools. `demo_tls` takes the place of the certificate
  // files (demo). Null with `error` set when something cannot be had.
  static Made make(conf::Config config,
                   std::shared_ptr<const tls::ServerContext> demo_tls = nullptr);

  const conf::Config& config() const { return config_; }

  const rules::Router& router() const { return *router_; }

  const std::vector<RouteRuntime>& routes() const { return routes_; }

  const std::vector<rules::IpLimits*>& limits() const { return limits_; }

  const std::vector<ListenerRuntime>& listeners() const { return listeners_; }

  // Before the workers start: the port a listener asked 0 for.
  void set_bound(std::size_t listener, const conf::Address& address);

 private:
  Runtime() = default;
  std::string build(std::shared_ptr<const tls::ServerContext> demo_tls);

  conf::Config config_;
  std::unique_ptr<rules::Router> router_;
  std::vector<RouteRuntime> routes_;
  std::vector<rules::IpLimits*> limits_;
  std::vector<ListenerRuntime> listeners_;
};

struct Runtime::Made {
  std::shared_ptr<Runtime> runtime;
  std::string error;
};

}  // namespace fairlead::edge
