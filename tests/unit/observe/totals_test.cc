#include "proxy/observe/totals.h"

#include "proxy/observe/json_value.h"
#include "tests/support/catch.h"

namespace fairlead::observe {

TEST_CASE("totals: nothing counted yet is all there", "[observe][totals]") {
  const auto totals = parse_json(totals_json({}));
  REQUIRE(totals);
  CHECK(totals->number_of("messages_in") == 0);
  REQUIRE(totals->find("rtt_ms") != nullptr);
  CHECK(totals->find("rtt_ms")->find("p50")->kind == JsonValue::Kind::null);
}

TEST_CASE("totals: routes and workers are added up", "[observe][totals]") {
  const auto registry = std::make_shared<Registry>();
  std::array<WorkerCounters, 2> workers;
  for (const char* name : {"chat", "web"}) {
    const auto route = registry->route(name);
    for (unsigned worker : {0U, 1U}) {
      RouteTally& tally = route->of(worker);
      tally.traffic[0].texts.add(1);
      tally.traffic[0].binaries.add(2);
      tally.traffic[1].bytes.add(10);
      tally.end(SessionResult::opened);
      tally.closes[route->codes.slot(1001)][2].add();
      tally.ends[static_cast<std::size_t>(rules::Cause::client_gone)].add();
      tally.requests[route->statuses.slot(200)].add(3);
    }
  }
  workers[0].refuse(rules::Cause::no_route);
  workers[1].ping_rtt[0].add(0.0004);
  const auto totals = parse_json(totals_json({registry, {&workers[0], &workers[1]}}));
  REQUIRE(totals);
  CHECK(totals->number_of("messages_in") == 12);
  CHECK(totals->number_of("messages_out") == 0);
  CHECK(totals->number_of("bytes_out") == 40);
  CHECK(totals->number_of("handshakes") == 4);
  CHECK(totals->number_of("http_requests") == 12);
  CHECK(totals->find("refused")->number_of("no_route") == 1);
  CHECK(totals->find("closes")->number_of("1001 proxy") == 4);
  CHECK(totals->find("ends")->number_of("client_gone") == 4);
  CHECK(totals->find("rtt_ms")->number_of("p99") == Approx(0.495));
  CHECK(totals->find("rtt_ms")->items_of("buckets").size() == kLatencyBounds.size() + 1);
}

}  // namespace fairlead::observe
