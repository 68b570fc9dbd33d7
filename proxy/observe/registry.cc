#include "proxy/observe/registry.h"

namespace fairlead::observe {
namespace {

using rules::Cause;

// What RFC 6455 7.4.1 and its registry name, and 0 for none.
constexpr std::array<std::uint16_t, 14> kCloseCodes{0,    1000, 1001, 1002, 1003, 1007, 1008,
                                                    1009, 1010, 1011, 1012, 1013, 1014, 3000};
constexpr std::array<std::uint16_t, 28> kStatuses{200, 201, 204, 206, 301, 302, 303, 304, 307, 308,
                                                  400, 401, 403, 404, 405, 408, 413, 426, 429, 431,
                                                  499, 500, 501, 502, 503, 504, 505, 101};

// Lets go what nobody uses any more when there is too much of it.
template <class Map>
void make_room(Map& map, std::size_t most) {
  if (map.size() < most) return;
  std::erase_if(map, [](const auto& entry) { return entry.second.use_count() == 1; });
}

template <class Map, class Key, class... Arguments>
auto find_or_make(Map& map, const Key& key, const Arguments&... arguments) {
  auto& found = map[key];
  using Value = typename Map::mapped_type::element_type;
  if (!found) found = std::make_shared<Value>(arguments...);
  return found;
}

}  // namespace

void WorkerCounters::limit_of(Cause cause) {
  if (cause == Cause::handshake_rate) limit(LimitHit::handshakes_per_ip);
  if (cause == Cause::too_many_connections_from_ip) limit(LimitHit::connections_per_ip);
  if (cause == Cause::max_connections) limit(LimitHit::max_connections);
  if (cause == Cause::server_full) limit(LimitHit::max_sessions);
  if (cause == Cause::slow_client || cause == Cause::slow_backend) limit(LimitHit::write_stall);
  if (cause == Cause::idle_timeout) limit(LimitHit::idle_timeout);
  if (cause == Cause::max_lifetime) limit(LimitHit::max_lifetime);
}

RouteCounters::RouteCounters(std::string name)
    : codes(kCloseCodes), statuses(kStatuses), name_(std::move(name)) {}

RouteCounters::~RouteCounters() {
  for (auto& tally : tallies_) delete tally.load(std::memory_order_relaxed);
}

RouteTally& RouteCounters::of(unsigned worker) {
  worker %= kMostWorkers;
  std::atomic<RouteTally*>& tally = tallies_[worker];
  RouteTally* there = tally.load(std::memory_order_relaxed);
  if (there == nullptr) {
    there = std::make_unique<RouteTally>().release();
    tally.store(there, std::memory_order_release);
    unsigned end = end_.load(std::memory_order_relaxed);
    while (end <= worker && !end_.compare_exchange_weak(end, worker + 1)) {
    }
  }
  return *there;
}

std::shared_ptr<RouteCounters> Registry::route(const std::string& name) {
  make_room(routes_, kMostKept);
  return find_or_make(routes_, name, name);
}

std::shared_ptr<Gauge> Registry::sessions(const std::string& route, const std::string& backend) {
  make_room(sessions_, kMostKept);
  return find_or_make(sessions_, Pair(route, backend));
}

std::shared_ptr<Gauge> Registry::connections(const std::string& listener) {
  make_room(connections_, kMostKept);
  return find_or_make(connections_, listener);
}

}  // namespace fairlead::observe
