#include "proxy/edge/reload.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::edge {
namespace {

// What of `before` is not in `after`, and the counts both ways. `same` tells whether two are one.
template <class T, class Same>
std::vector<const T*> differ(const std::vector<T>& before, const std::vector<T>& after, Same same,
                             Changes::Counts& counts) {
  const auto is_in = [&](const std::vector<T>& all, const T& one) {
    return std::any_of(all.begin(), all.end(), [&](const T& other) { return same(one, other); });
  };
  std::vector<const T*> removed;
  for (const T& one : before) {
    if (!is_in(after, one)) removed.push_back(&one);
  }
  counts.now += after.size();
  counts.removed += removed.size();
  for (const T& one : after) counts.added += is_in(before, one) ? 0 : 1;
  return removed;
}

void compare_servers(const balance::Pool* before, const balance::Pool* after, Changes& changes) {
  using Servers = std::vector<std::shared_ptr<balance::PoolServer>>;
  static const Servers kNone;
  const auto gone = differ(
      before != nullptr ? before->servers() : kNone, after != nullptr ? after->servers() : kNone,
      [](const auto& a, const auto& b) { return a == b; }, changes.servers);
  for (const auto* server : gone) changes.removed_servers.push_back({before->name(), *server});
}

const balance::Pool* pool_named(const Runtime& runtime, const std::string& name) {
  for (const auto& pool : runtime.pools()) {
    if (pool->name() == name) return pool.get();
  }
  return nullptr;
}

std::string counted(const char* one, const Changes::Counts& counts) {
  std::string text = fmt::format("{} {}{}", counts.now, one, counts.now == 1 ? "" : "s");
  if (counts.added == 0 && counts.removed == 0) return text;
  text += " (";
  if (counts.added != 0) text += fmt::format("{} added", counts.added);
  if (counts.added != 0 && counts.removed != 0) text += ", ";
  if (counts.removed != 0) text += fmt::format("{} removed", counts.removed);
  return text + ")";
}

template <class T>
void keep(const char* key, const T& running, T& next, std::vector<std::string>& warnings) {
  if (next == running) return;
  next = running;
  warnings.push_back(fmt::format("{} has changed: it takes effect at the next start", key));
}

}  // namespace

std::string Changes::text() const {
  return counted("listener", listeners) + ", " + counted("route", routes) + ", " +
         counted("backend", backends) + ", " + counted("server", servers);
}

Changes compare(const Runtime& before, const Runtime& after) {
  Changes changes;
  differ(
      before.listeners(), after.listeners(),
      [](const auto& a, const auto& b) { return a.socket == b.socket; }, changes.listeners);
  const auto routes = differ(
      before.routes(), after.routes(),
      [](const auto& a, const auto& b) { return a.settings->name == b.settings->name; },
      changes.routes);
  for (const RouteRuntime* route : routes) changes.removed_routes.push_back(route->settings->name);
  const auto pools = differ(
      before.pools(), after.pools(),
      [](const auto& a, const auto& b) { return a->name() == b->name(); }, changes.backends);
  for (const auto* pool : pools) compare_servers(pool->get(), nullptr, changes);
  for (const auto& pool : after.pools())
    compare_servers(pool_named(before, pool->name()), pool.get(), changes);
  return changes;
}

std::vector<std::string> keep_what_needs_restart(const conf::Config& running, conf::Config& next) {
  std::vector<std::string> warnings;
  keep("server.workers", running.server.workers, next.server.workers, warnings);
  keep("server.user", running.server.user, next.server.user, warnings);
  keep("log.file", running.log.file, next.log.file, warnings);
  keep("log.access", running.log.access, next.log.access, warnings);
  keep("admin.listen", running.admin.listen, next.admin.listen, warnings);
  keep("log.format", running.log.format, next.log.format, warnings);
  return warnings;
}

}  // namespace fairlead::edge
