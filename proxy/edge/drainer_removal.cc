// What a reload or DNS has taken away, and what has come back.

#include <algorithm>
#include <utility>

#include "proxy/edge/dial.h"
#include "proxy/edge/drainer.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

using Policy = RemovalPolicies::Policy;

bool has_server(const Runtime& runtime, const std::shared_ptr<balance::PoolServer>& server) {
  return std::any_of(runtime.pools().begin(), runtime.pools().end(), [&](const auto& pool) {
    const auto& all = pool->servers();
    return std::find(all.begin(), all.end(), server) != all.end();
  });
}

// How long a handshake that began by `runtime` may still lead to a session.
conf::Millis longest_handshake(const Runtime& runtime) {
  conf::Millis longest{0};
  for (const RouteRuntime& route : runtime.routes()) {
    const conf::RouteTimeouts& timeouts = route.settings->timeouts;
    longest = std::max(longest, Dial::kTryFor * timeouts.connect + timeouts.response_head);
  }
  return longest;
}

}  // namespace

void Drainer::removed(const Runtime& before, const Runtime& after, const Changes& changes) {
  if (stopping_) return;
  let_come_back(before, after);
  const auto policies = std::make_shared<const RemovalPolicies>(before, after);
  const net::TimePoint late = loop_.now() + longest_handshake(before);
  std::vector<Scope> scopes;
  for (const RemovedServer& one : changes.removed_servers) {
    observe::log_info("backend \"{}\": {} was removed ({} sessions): {}", one.backend,
                      one.server->name, one.server->sessions.load(),
                      policies->server_words(one.backend));
    scopes.push_back({Scope::Kind::server, "", one.server, one.backend});
  }
  for (const std::string& route : changes.removed_routes) {
    observe::log_info("route \"{}\" was removed: {}", route, policies->route_words(route));
    scopes.push_back({Scope::Kind::route, route, nullptr, ""});
  }
  for (const Scope& scope : scopes) {
    // A drain that somebody has asked for goes on as it is, but not for ever.
    bool going = false;
    for (auto& [id, job] : jobs_) {
      if (!(job.order.scope == scope) || job.is_burst()) continue;
      job.late = late;
      going = true;
    }
    if (going) continue;
    for (Policy policy : {Policy::drain, Policy::close}) {
      if (policies->has(policy)) move_removed(scope, {policies, policy}, late);
    }
  }
}

void Drainer::let_come_back(const Runtime& before, const Runtime& after) {
  for (const auto& pool : after.pools()) {
    for (const auto& server : pool->servers()) {
      if (has_server(before, server)) continue;
      cancel_all({Scope::Kind::server, "", server, pool->name()});
      auto drained = balance::AdminState::drain;  // down stays down
      server->admin.compare_exchange_strong(drained, balance::AdminState::ready);
    }
  }
  for (const RouteRuntime& route : after.routes()) {
    const std::string& name = route.settings->name;
    const bool was = std::any_of(before.routes().begin(), before.routes().end(),
                                 [&](const auto& one) { return one.settings->name == name; });
    if (!was) cancel_all({Scope::Kind::route, name, nullptr, ""});
  }
}

void Drainer::cancel_all(const Scope& scope) {
  for (auto at = jobs_.begin(); at != jobs_.end();) {
    const Job& job = at->second;
    if (!(job.order.scope == scope) || job.is_burst()) {
      ++at;
      continue;
    }
    const LeaveCount& count = *job.order.count;
    if (count.total.load() != 0) {
      observe::log_info("draining {}: it came back, {} of {} sessions stay", scope.text(),
                        count.staying(), count.total.load());
    }
    if (!job.order.removal) set_drained(job.order.scope, false);
    halt(job.order.job);
    at = jobs_.erase(at);
  }
}

// Closed ones go all at once, and no message takes longer than an answer to a Close may.
void Drainer::move_removed(const Scope& scope, const Removal& removal, net::TimePoint late) {
  const conf::Drain& settings = runtime_->config().server.drain;
  const bool close = removal.policy == Policy::close;
  DrainOrder order;
  order.scope = scope;
  order.patience =
      close ? std::min(settings.deadline, conf::bounds::kCloseWait) : settings.deadline;
  order.lasting = true;
  order.count = std::make_shared<LeaveCount>();
  order.removal = removal;
  const std::uint32_t id =
      start(std::move(order), close || !settings.rate ? 0 : settings.rate->per_second);
  jobs_[id].late = late;
}

}  // namespace fairlead::edge
