#include "proxy/edge/runtime.h"

#include <algorithm>

#include "proxy/net/socket.h"

namespace fairlead::edge {
namespace {

// A name becomes one server for each of its addresses. Returns an error or "".
std::string resolve_servers(conf::Backend& backend) {
  std::vector<conf::BackendServer> resolved;
  for (const conf::BackendServer& server : backend.servers) {
    if (server.address.kind != conf::Address::Kind::name) {
      resolved.push_back(server);
      continue;
    }
    std::string error;
    for (const conf::Ip& ip : net::resolve(server.address.host, error)) {
      conf::BackendServer one = server;
      one.address.kind = conf::Address::Kind::ip;
      one.address.host.clear();
      one.address.ip = ip;
      resolved.push_back(one);
    }
    if (!error.empty()) return "backend \"" + backend.name + "\": " + error;
  }
  backend.servers = std::move(resolved);
  return "";
}

wire::ScanRules scan_rules(const conf::WebSocket& settings, bool from_client) {
  wire::ScanRules rules;
  rules.masked = from_client;
  rules.strict = settings.strict;
  rules.max_frame = settings.max_frame.value_or(UINT64_MAX);
  rules.max_message =
      (from_client ? settings.max_message : settings.max_message_from_backend).value_or(UINT64_MAX);
  return rules;
}

}  // namespace

RouteRuntime make_route(const conf::Route& route, std::shared_ptr<balance::Pool> pool) {
  RouteRuntime made;
  made.settings = &route;
  made.pool = std::move(pool);
  if (route.limits.handshakes_per_ip || route.limits.connections_per_ip) {
    made.limits = std::make_unique<rules::IpLimits>(route.limits);
  }
  made.from_client = scan_rules(route.websocket, true);
  made.from_backend = scan_rules(route.websocket, false);
  made.ping_client = {route.websocket.ping_interval, route.websocket.ping_timeout};
  if (route.websocket.ping_backend) made.ping_backend = made.ping_client;
  return made;
}

Runtime::Made Runtime::make(conf::Config config,
                            std::shared_ptr<const tls::ServerContext> demo_tls) {
  Made made;
  made.runtime = std::shared_ptr<Runtime>(new Runtime);
  made.runtime->config_ = std::move(config);
  made.error = made.runtime->build(std::move(demo_tls));
  if (!made.error.empty()) made.runtime.reset();
  return made;
}

std::string Runtime::build(std::shared_ptr<const tls::ServerContext> demo_tls) {
  std::vector<std::shared_ptr<balance::Pool>> pools;
  for (conf::Backend& backend : config_.backends) {
    std::string error = resolve_servers(backend);
    if (!error.empty()) return error;
    pools.push_back(balance::Pool::make(backend));
  }
  for (const conf::Route& route : config_.routes) {
    auto backend =
        std::find_if(config_.backends.begin(), config_.backends.end(),
                     [&](const conf::Backend& one) { return one.name == route.backend; });
    if (backend == config_.backends.end()) return "route \"" + route.name + "\": no such backend";
    routes_.push_back(
        make_route(route, pools[static_cast<std::size_t>(backend - config_.backends.begin())]));
    limits_.push_back(routes_.back().limits.get());
  }
  router_ = std::make_unique<rules::Router>(config_.routes);
  for (const conf::Listener& listener : config_.listeners) {
    ListenerRuntime made{&listener, nullptr, listener.address.text(), listener.address.port};
    if (listener.tls) {
      made.tls = demo_tls;
      if (!made.tls) {
        auto loaded = tls::ServerContext::from_files(*listener.tls);
        if (!loaded.context) return "listener " + made.name + ": " + loaded.error;
        made.tls = std::move(loaded.context);
      }
    }
    listeners_.push_back(std::move(made));
  }
  return "";
}

void Runtime::set_bound(std::size_t listener, const conf::Address& address) {
  listeners_[listener].name = address.text();
  listeners_[listener].port = address.port;
}

}  // namespace fairlead::edge
