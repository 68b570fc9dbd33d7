#pragma once
// What a configuration becomes when it runs: an immutable snapshot that sessions keep to their end.

#include <memory>
#include <string>
#include <vector>

#include "conf/config.h"
#include "proxy/balance/endpoints.h"
#include "proxy/balance/pool.h"
#include "proxy/edge/gate.h"
#include "proxy/edge/keepalive.h"
#include "proxy/edge/remains.h"
#include "proxy/observe/registry.h"
#include "proxy/rules/ip_limits.h"
#include "proxy/rules/router.h"
#include "proxy/wire/frame_scanner.h"
#include "tls/context.h"

namespace fairlead::edge {

// A route with what its sessions share.
struct RouteRuntime {
  const conf::Route* settings = nullptr;
  std::shared_ptr<balance::Pool> pool;
  std::unique_ptr<rules::IpLimits> limits;  // null: none; over the table of the snapshot before
  wire::ScanRules from_client;
  wire::ScanRules from_backend;
  KeepaliveSettings ping_client;
  KeepaliveSettings ping_backend;
  std::shared_ptr<observe::RouteCounters> counters;
  std::shared_ptr<observe::Gauge> sessions;  // open with this backend
  std::shared_ptr<Gate> gate;
  std::optional<conf::Millis> update_interval;  // of a session's lines in the access log
};

struct ListenerRuntime {
  const conf::Listener* settings = nullptr;
  std::shared_ptr<const tls::ServerContext> tls;  // null: plain
  std::string name;                               // its address, with the port it got
  std::uint16_t port = 0;
  std::uint64_t socket = 0;  // the listening socket's number: a reload may keep it; 0: none yet
  std::shared_ptr<observe::Gauge> connections = std::make_shared<observe::Gauge>(0);  // open ones
  std::shared_ptr<Gate> gate;
};

// The rules of one route's sessions, without the sharing: what the tunnel's tests build by hand.
// `previous`: the route of that name before a reload, whose counts per address go on. `counts`:
// those of one that an earlier reload took away; null: there are none.
RouteRuntime make_route(const conf::Route& route, std::shared_ptr<balance::Pool> pool,
                        const RouteRuntime* previous = nullptr,
                        std::shared_ptr<rules::IpLimits::Table> counts = nullptr);

struct Heirloom;

class Runtime {
 public:
  struct Made;

  // Reads certificates, builds pools with what the servers' names stand for at the moment
  // (`names`). `demo_tls` takes the place of the certificate files (demo). `previous`: the snapshot
  // a reload is to replace; what stays (servers, counts, ticket keys) is shared with it, and
  // nothing of it changes before take_effect(). `heirloom`: of the process whose place this one
  // takes over, for its secrets; null: none. Null with `error` set when something cannot be had.
  static Made make(conf::Config config,
                   std::shared_ptr<const tls::ServerContext> demo_tls = nullptr,
                   const Runtime* previous = nullptr, const balance::Lookup& names = {},
                   const Heirloom* heirloom = nullptr);

  // The same configuration with what its names stand for now: all but the backends they are of is
  // shared with `before`. Null: nothing is different.
  static std::shared_ptr<Runtime> renewed(const Runtime& before, const balance::Lookup& names);

  // As it was loaded: with names, where `pools()` have their addresses.
  const conf::Config& config() const { return *config_; }

  const rules::Router& router() const { return *router_; }

  const std::vector<RouteRuntime>& routes() const { return routes_; }

  const std::vector<rules::IpLimits*>& limits() const { return limits_; }

  const std::vector<ListenerRuntime>& listeners() const { return listeners_; }

  // In the configuration's order.
  const std::vector<std::shared_ptr<balance::Pool>>& pools() const { return pools_; }

  // What is counted, the same for all snapshots of a process.
  const std::shared_ptr<observe::Registry>& registry() const { return registry_; }

  // What is not in it any more and still used.
  const Remains& remains() const { return remains_; }

  // Of requests that no route has.
  observe::RouteCounters& unrouted() const { return *unrouted_; }

  // Before any worker has it: the listener's socket and the port it got where 0 was asked for.
  // `gate`: the socket's; null: one of its own.
  void set_bound(std::size_t listener, const conf::Address& address, std::uint64_t socket,
                 std::shared_ptr<Gate> gate = nullptr);

  // This snapshot replaces its predecessor for certain. Main thread.
  void take_effect();

  // The listener that a connection of `before`, another snapshot's, may go over to between two
  // requests: it has the same socket, and all that was decided when the connection began holds
  // there too. Null: none.
  const ListenerRuntime* successor_of(const ListenerRuntime& before) const;

 private:
  Runtime() = default;
  std::string build(std::shared_ptr<const tls::ServerContext> demo_tls, const Runtime* previous,
                    const balance::Lookup& names);
  void add_pool(const conf::Backend& backend, std::vector<conf::BackendServer> servers,
                const Runtime* previous);
  std::string build_routes(const Runtime* previous);
  std::string build_listeners(std::shared_ptr<const tls::ServerContext> demo_tls,
                              const Runtime* previous);
  std::string load_certificate(ListenerRuntime& listener, const Runtime* previous) const;

  std::shared_ptr<const conf::Config> config_;
  std::shared_ptr<const rules::Router> router_;
  std::vector<std::vector<conf::BackendServer>> servers_;  // of each backend, names resolved
  std::vector<std::shared_ptr<balance::Pool>> pools_;
  std::vector<RouteRuntime> routes_;
  std::vector<rules::IpLimits*> limits_;
  std::vector<ListenerRuntime> listeners_;
  std::shared_ptr<observe::Registry> registry_;
  std::shared_ptr<observe::RouteCounters> unrouted_;
  Remains remains_;
  const Heirloom* heirloom_ = nullptr;  // while it is built
};

struct Runtime::Made {
  std::shared_ptr<Runtime> runtime;
  std::string error;
};

}  // namespace fairlead::edge
