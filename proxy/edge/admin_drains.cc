// The admin endpoint's part that drains and undoes.

#include <algorithm>

#include "proxy/edge/admin_endpoint.h"
#include "proxy/edge/not_found.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

observe::DrainStatus to_status(const Drainer::Progress& from) {
  return {from.id,   from.what, from.rate,    from.total,
          from.left, from.told, from.counted, std::chrono::system_clock::to_time_t(from.started)};
}

balance::AdminState from_state(observe::ServerState state) {
  switch (state) {
    case observe::ServerState::ready:
    case observe::ServerState::ejected:  // nobody can set that
      break;
    case observe::ServerState::drain:
      return balance::AdminState::drain;
    case observe::ServerState::down:
      return balance::AdminState::down;
  }
  return balance::AdminState::ready;
}

}  // namespace

observe::Outcome AdminEndpoint::drain(std::optional<conf::Rate> rate) {
  observe::Outcome outcome;
  Scope all;
  const auto before = process_.drainer().find(all);
  const bool stopping = process_.drainer().ending();
  process_.drain(rate);
  const auto now = process_.drainer().find(all);
  outcome.changed = !stopping || (before && now && before->rate != now->rate);
  if (now) outcome.drain = now->id;
  return outcome;
}

observe::Outcome AdminEndpoint::apply(const Scope& scope, bool drain,
                                      std::optional<conf::Rate> rate) {
  observe::Outcome outcome;
  if (process_.drainer().ending()) {
    return {observe::Outcome::Kind::refused,
            "the process is stopping: every session is told to go",
            {}};
  }
  Drainer& drainer = process_.drainer();
  if (!drain) {
    outcome.changed = drainer.undo(scope);
    return outcome;
  }
  const auto before = drainer.find(scope);
  outcome.drain = drainer.drain(scope, rate);
  outcome.changed = !before || (rate && rate->per_second != before->rate);
  return outcome;
}

// `drain` moves the open sessions too, until another state ends that.
observe::Outcome AdminEndpoint::set_state(const Scope& scope, const observe::ServerChange& change) {
  const balance::AdminState state = from_state(*change.state);
  const balance::AdminState before = scope.server->admin.load(std::memory_order_relaxed);
  observe::Outcome outcome = apply(scope, state == balance::AdminState::drain, change.rate);
  if (outcome.kind != observe::Outcome::Kind::done) return outcome;
  scope.server->set_admin(state, loop_.now());
  outcome.changed = outcome.changed || before != state;
  return outcome;
}

observe::Outcome AdminEndpoint::set_drained(observe::DrainKind kind, const std::string& name,
                                            const observe::DrainChange& change) {
  const Runtime& runtime = *process_.runtime();
  Scope scope;
  scope.name = name;
  bool found = false;
  if (kind == observe::DrainKind::listener) {
    scope.kind = Scope::Kind::listener;
    const auto name_of = [](const ListenerRuntime& one) { return one.name; };
    for (const ListenerRuntime& one : runtime.listeners()) found = found || name_of(one) == name;
    if (!found && (change.drain || !process_.drainer().find(scope)))
      return not_found("there is no listener \"" + name + "\"", runtime.listeners(), name_of);
  } else {
    scope.kind = Scope::Kind::route;
    const auto name_of = [](const RouteRuntime& one) { return one.settings->name; };
    for (const RouteRuntime& one : runtime.routes()) found = found || name_of(one) == name;
    if (!found && (change.drain || !process_.drainer().find(scope)))
      return not_found("there is no route \"" + name + "\"", runtime.routes(), name_of);
  }
  return apply(scope, change.drain, change.rate);
}

std::vector<observe::DrainStatus> AdminEndpoint::drains() const {
  std::vector<observe::DrainStatus> result;
  for (const Drainer::Progress& one : process_.drainer().progress())
    result.push_back(to_status(one));
  return result;
}

observe::Outcome AdminEndpoint::undo_drain(std::uint32_t id) {
  if (process_.drainer().ending()) {
    return {observe::Outcome::Kind::refused, "a process that stops cannot be called back", {}};
  }
  const auto drains = process_.drainer().progress();
  if (process_.drainer().undo(id)) return {};
  return not_found("there is no drain " + std::to_string(id), drains,
                   [](const Drainer::Progress& one) { return std::to_string(one.id); });
}

}  // namespace fairlead::edge
