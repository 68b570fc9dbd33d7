#include "proxy/observe/registry.h"

#include "tests/support/catch.h"

namespace fairlead::observe {

TEST_CASE("registry: a route that comes back goes on where it was", "[observe][registry]") {
  Registry registry;
  registry.route("chat")->of(0).traffic[0].bytes.add(5);
  CHECK(registry.route("chat")->of(0).traffic[0].bytes.value() == 5);
  CHECK(registry.route("web")->of(0).traffic[0].bytes.value() == 0);
}

TEST_CASE("registry: of what nobody uses no more than so much is kept", "[observe][registry]") {
  Registry registry;
  const auto used = registry.route("used");
  const auto open = registry.sessions("used", "pool");
  for (int i = 0; i < 1000; ++i) {
    registry.route(std::to_string(i));
    registry.sessions(std::to_string(i), "pool");
    registry.connections(std::to_string(i));
  }
  CHECK(registry.routes().size() <= Registry::kMostKept);
  CHECK(registry.sessions().size() <= Registry::kMostKept);
  CHECK(registry.connections().size() <= Registry::kMostKept);
  CHECK(registry.route("used") == used);
  CHECK(registry.sessions("used", "pool") == open);
}

TEST_CASE("registry: each worker counts in its own cache lines", "[observe][registry]") {
  RouteCounters route("chat");
  RouteTally& first = route.of(0);
  RouteTally& last = route.of(255);
  CHECK(&first != &last);
  CHECK(&route.of(0) == &first);
  CHECK(reinterpret_cast<std::uintptr_t>(&first) % 64 == 0);
  first.traffic[1].texts.add();
  last.traffic[1].texts.add(2);
  std::uint64_t texts = 0;
  int tallies = 0;
  route.for_each([&](const RouteTally& tally) {
    texts += tally.traffic[1].texts.value();
    ++tallies;
  });
  CHECK(texts == 3);
  CHECK(tallies == 2);
}

TEST_CASE("registry: a cause counts for its limit", "[observe][registry]") {
  WorkerCounters worker;
  worker.limit_of(rules::Cause::handshake_rate);
  worker.limit_of(rules::Cause::server_full);
  worker.limit_of(rules::Cause::client_closed);
  CHECK(worker.limits[static_cast<std::size_t>(LimitHit::handshakes_per_ip)].value() == 1);
  CHECK(worker.limits[static_cast<std::size_t>(LimitHit::max_sessions)].value() == 1);
  std::uint64_t all = 0;
  for (const Counter& one : worker.limits) all += one.value();
  CHECK(all == 2);
}

}  // namespace fairlead::observe
