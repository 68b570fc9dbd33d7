#include "proxy/edge/runtime.h"

#include <algorithm>

#include "proxy/edge/heirloom.h"

namespace fairlead::edge {
namespace {

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

RouteRuntime make_route(const conf::Route& route, std::shared_ptr<balance::Pool> pool,
                        const RouteRuntime* previous,
                        std::shared_ptr<rules::IpLimits::Table> counts) {
  RouteRuntime made;
  made.settings = &route;
  made.pool = std::move(pool);
  made.gate = previous != nullptr ? previous->gate : std::make_shared<Gate>();
  if (route.limits.handshakes_per_ip || route.limits.connections_per_ip) {
    if (previous != nullptr && previous->limits) counts = previous->limits->table();
    made.limits = counts ? std::make_unique<rules::IpLimits>(route.limits, std::move(counts))
                         : std::make_unique<rules::IpLimits>(route.limits);
  }
  made.from_client = scan_rules(route.websocket, true);
  made.from_client.show_empty = route.limits.control_frames.has_value();
  made.from_backend = scan_rules(route.websocket, false);
  made.ping_client = {route.websocket.ping_interval, route.websocket.ping_timeout};
  if (route.websocket.ping_backend) made.ping_backend = made.ping_client;
  made.counters = previous != nullptr ? previous->counters
                                      : std::make_shared<observe::RouteCounters>(route.name);
  made.sessions = std::make_shared<observe::Gauge>(0);
  return made;
}

Runtime::Made Runtime::make(conf::Config config, std::shared_ptr<const tls::ServerContext> demo_tls,
                            const Runtime* previous, const balance::Lookup& names,
                            const Heirloom* heirloom) {
  Made made;
  made.runtime = std::shared_ptr<Runtime>(new Runtime);
  made.runtime->config_ = std::make_shared<const conf::Config>(std::move(config));
  made.runtime->heirloom_ = heirloom;
  made.error = made.runtime->build(std::move(demo_tls), previous, names);
  made.runtime->heirloom_ = nullptr;
  if (!made.error.empty()) made.runtime.reset();
  return made;
}

std::shared_ptr<Runtime> Runtime::renewed(const Runtime& before, const balance::Lookup& names) {
  std::shared_ptr<Runtime> next(new Runtime);
  next->config_ = before.config_;
  const auto& backends = next->config_->backends;
  bool other = false;
  for (std::size_t i = 0; i < backends.size(); ++i) {
    auto servers = balance::expand(backends[i].servers, names);
    if (servers != before.servers_[i]) {
      other = true;
      next->add_pool(backends[i], std::move(servers), &before);
    } else {
      next->pools_.push_back(before.pools_[i]);
      next->servers_.push_back(std::move(servers));
    }
  }
  if (!other) return nullptr;
  next->registry_ = before.registry_;
  next->unrouted_ = before.unrouted_;
  next->build_routes(&before);
  next->router_ = before.router_;
  next->listeners_ = before.listeners_;
  next->remains_ = before.remains_;
  return next;
}

std::string Runtime::build(std::shared_ptr<const tls::ServerContext> demo_tls,
                           const Runtime* previous, const balance::Lookup& names) {
  registry_ = previous != nullptr ? previous->registry_ : std::make_shared<observe::Registry>();
  unrouted_ = registry_->route("");
  for (const conf::Backend& backend : config_->backends)
    add_pool(backend, balance::expand(backend.servers, names), previous);
  std::string error = build_routes(previous);
  if (error.empty()) error = build_listeners(std::move(demo_tls), previous);
  if (error.empty()) router_ = std::make_shared<const rules::Router>(config_->routes);
  if (previous != nullptr) remains_.take(*previous, *this);
  return error;
}

void Runtime::add_pool(const conf::Backend& backend, std::vector<conf::BackendServer> servers,
                       const Runtime* previous) {
  const balance::Pool* before = nullptr;
  if (previous != nullptr) {
    for (const auto& pool : previous->pools_) {
      if (pool->name() == backend.name) before = pool.get();
    }
    if (before == nullptr) before = previous->remains_.pool(backend.name);
  }
  conf::Backend resolved = backend;
  resolved.servers = servers;
  pools_.push_back(balance::Pool::make(
      resolved, before, heirloom_ != nullptr ? heirloom_->secret(backend.name) : ""));
  servers_.push_back(std::move(servers));
}

std::string Runtime::build_routes(const Runtime* previous) {
  for (const conf::Route& route : config_->routes) {
    auto pool = std::find_if(pools_.begin(), pools_.end(),
                             [&](const auto& one) { return one->name() == route.backend; });
    if (pool == pools_.end()) return "route \"" + route.name + "\": no such backend";
    const RouteRuntime* before = nullptr;
    if (previous != nullptr) {
      for (const RouteRuntime& one : previous->routes_) {
        if (one.settings->name == route.name) before = &one;
      }
    }
    routes_.push_back(
        make_route(route, *pool, before,
                   previous != nullptr ? previous->remains_.counts(route.name) : nullptr));
    routes_.back().counters = registry_->route(route.name);
    if (config_->log.access != "off") routes_.back().update_interval = config_->log.access_interval;
    routes_.back().sessions = registry_->sessions(route.name, route.backend);
    limits_.push_back(routes_.back().limits.get());
  }
  return "";
}

std::string Runtime::build_listeners(std::shared_ptr<const tls::ServerContext> demo_tls,
                                     const Runtime* previous) {
  for (const conf::Listener& listener : config_->listeners) {
    ListenerRuntime made;
    made.settings = &listener;
    made.name = listener.address.text();
    made.port = listener.address.port;
    made.gate = std::make_shared<Gate>();
    if (listener.tls && demo_tls) made.tls = demo_tls;
    if (listener.tls && !demo_tls) {
      std::string error = load_certificate(made, previous);
      if (!error.empty()) return error;
    }
    listeners_.push_back(std::move(made));
  }
  return "";
}

// With the ticket keys of the listener at that address before, unless what they vouch for is weaker
// than what is asked now.
std::string Runtime::load_certificate(ListenerRuntime& listener, const Runtime* previous) const {
  const conf::Listener& settings = *listener.settings;
  const tls::ServerContext* before = nullptr;
  if (previous != nullptr) {
    for (const ListenerRuntime& one : previous->listeners_) {
      const bool same = one.settings->address == settings.address && one.settings->tls &&
                        one.settings->tls->min_version == settings.tls->min_version;
      if (same) before = one.tls.get();
    }
  }
  auto loaded = tls::ServerContext::from_files(
      *settings.tls, before, heirloom_ != nullptr ? heirloom_->ticket_keys(settings) : "",
      heirloom_ != nullptr ? heirloom_->ticket_key_age(settings) : std::chrono::seconds{});
  if (!loaded.context) return "listener " + listener.name + ": " + loaded.error;
  listener.tls = std::move(loaded.context);
  return "";
}

void Runtime::set_bound(std::size_t listener, const conf::Address& address, std::uint64_t socket,
                        std::shared_ptr<Gate> gate) {
  listeners_[listener].name = address.text();
  listeners_[listener].port = address.port;
  listeners_[listener].socket = socket;
  listeners_[listener].connections = registry_->connections(listeners_[listener].name);
  if (gate) listeners_[listener].gate = std::move(gate);
}

void Runtime::take_effect() {
  for (auto& pool : pools_) pool->take_effect();
}

const ListenerRuntime* Runtime::successor_of(const ListenerRuntime& before) const {
  for (const ListenerRuntime& one : listeners_) {
    const bool holds = one.socket == before.socket && one.socket != 0 &&
                       (one.tls != nullptr) == (before.tls != nullptr) &&
                       one.settings->proxy_protocol == before.settings->proxy_protocol &&
                       one.settings->trusted_proxies == before.settings->trusted_proxies;
    if (holds) return &one;
  }
  return nullptr;
}

}  // namespace fairlead::edge
