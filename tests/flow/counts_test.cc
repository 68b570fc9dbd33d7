// What a session adds to the counts that all can see, while it is open and at its end.

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

using observe::LimitHit;
using observe::RouteTally;

struct Counted {
  explicit Counted(Flow& of) : flow(of), tally(of.runtime.counters->of(0)) {}

  std::uint64_t limit(LimitHit hit) const {
    return flow.home.counters->limits[static_cast<std::size_t>(hit)].value();
  }

  std::uint64_t closed(std::uint16_t code, rules::Party by) const {
    const std::size_t slot = flow.runtime.counters->codes.slot(code);
    return tally.closes[slot][static_cast<std::size_t>(by)].value();
  }

  Flow& flow;
  RouteTally& tally;
};

std::uint64_t total(const observe::Latencies& histogram) {
  observe::HistogramSum sum;
  sum.add(histogram);
  return sum.total();
}

}  // namespace

TEST_CASE("counts: they move while the session is open, each frame under its opcode",
          "[flow][counts]") {
  const std::size_t size = GENERATE(10U, 70'000U);
  FlowOptions options;
  options.client_tls = GENERATE(false, true);
  Flow flow({}, options);
  flow.start();
  const Counted counted(flow);
  CHECK(flow.runtime.sessions->load() == 1);
  flow.client->text(std::string(size, 'a'));
  flow.client->send_frame({.opcode = 2, .payload = std::string(size, 'b'), .fin = false});
  flow.client->send_frame({.opcode = 0, .payload = "c", .fin = false});
  flow.client->send_frame({.opcode = 9, .payload = "ping"});
  flow.client->send_frame({.opcode = 0});
  flow.backend->text("answer");
  flow.backend->send_frame({.opcode = 10, .payload = "ping"});
  flow.pump();
  const RouteTally::Direction& in = counted.tally.traffic[0];
  CHECK(in.texts.value() == 1);
  CHECK(in.binaries.value() == 1);
  CHECK(in.continuations.value() == 2);
  CHECK(in.bytes.value() == 2 * size + 1);
  CHECK(counted.tally.controls[0][RouteTally::ping].value() == 1);
  const RouteTally::Direction& out = counted.tally.traffic[1];
  CHECK(out.texts.value() == 1);
  CHECK(out.binaries.value() == 0);
  CHECK(out.bytes.value() == 6);
  CHECK(counted.tally.controls[1][RouteTally::pong].value() == 1);
}

TEST_CASE("counts: an end has its code and who was first; the log says the same",
          "[flow][counts]") {
  const int by = GENERATE(0, 1, 2);
  conf::Route route;
  if (by == 2) route.websocket.max_lifetime = 60s;
  Flow flow(route);
  flow.start();
  const Counted counted(flow);
  if (by == 0) flow.client->close_frame(4321);
  if (by == 1) flow.backend->close_frame(1000);
  if (by == 2) flow.pass(61s);
  flow.pump();
  if (by != 0) flow.client->close_frame(1000);
  if (by != 1) flow.backend->close_frame(1000);
  flow.pump();
  flow.client->close();
  flow.backend->close();
  flow.pump();
  REQUIRE_FALSE(flow.alive());
  CHECK(flow.runtime.sessions->load() == 0);
  const auto party = static_cast<rules::Party>(by);
  const int code = by == 0 ? 4321 : by == 1 ? 1000 : 1001;
  CHECK(counted.closed(static_cast<std::uint16_t>(code), party) == 1);
  CHECK(flow.logged("close_code", std::to_string(code)));
  CHECK(flow.logged("closed_by", "\"" + std::string(rules::word(party)) + "\""));
  CHECK(counted.limit(LimitHit::max_lifetime) == (by == 2 ? 1 : 0));
}

TEST_CASE("counts: who vanished has no close code, and its reason is counted", "[flow][counts]") {
  const bool client = GENERATE(true, false);
  Flow flow;
  flow.start();
  const Counted counted(flow);
  (client ? *flow.client : *flow.backend).close();
  flow.pump();
  (client ? *flow.backend : *flow.client).close_frame(1000);
  flow.pump();
  REQUIRE_FALSE(flow.alive());
  CHECK(counted.closed(0, client ? rules::Party::client : rules::Party::backend) == 1);
  CHECK(counted.closed(client ? 1001 : 1011, rules::Party::client) == 0);
  CHECK(counted.closed(client ? 1001 : 1011, rules::Party::backend) == 0);
  const auto cause = client ? rules::Cause::client_gone : rules::Cause::backend_gone;
  CHECK(counted.tally.ends[static_cast<std::size_t>(cause)].value() == 1);
  CHECK(flow.logged("close_code", "null"));
}

TEST_CASE("counts: limits, each where it was reached", "[flow][counts]") {
  conf::Route route;
  route.websocket.max_message = 100;
  route.websocket.max_frame = GENERATE(std::optional<std::uint64_t>(), 50);
  Flow flow(route);
  flow.start();
  const Counted counted(flow);
  flow.client->text(std::string(101, 'x'));
  flow.pump();
  CHECK(counted.limit(LimitHit::max_frame) == (route.websocket.max_frame ? 1 : 0));
  CHECK(counted.limit(LimitHit::max_message) == (route.websocket.max_frame ? 0 : 1));
}

TEST_CASE("counts: a throttled client once for each time it has to wait", "[flow][counts]") {
  conf::Route route;
  route.websocket.ping_interval.reset();
  route.limits.messages = conf::Rate{1.0 / 60, 2};
  const bool closes = GENERATE(false, true);
  if (closes) route.limits.on_excess = conf::Limits::OnExcess::close;
  Flow flow(route);
  flow.start();
  const Counted counted(flow);
  for (int i = 0; i < 3; ++i) flow.client->text("x");
  flow.pump();
  CHECK(counted.limit(LimitHit::messages_throttled) == (closes ? 0 : 1));
  CHECK(counted.limit(LimitHit::messages_exceeded) == (closes ? 1 : 0));
}

TEST_CASE("counts: pings that were answered are timed, those that were not are deaths",
          "[flow][counts]") {
  conf::Route route;
  route.websocket.ping_backend = false;
  Flow flow(route);
  flow.start();
  flow.pass(20s);
  const std::vector<Seen> seen = flow.client->frames();
  REQUIRE(seen.size() == 1);
  flow.client->send_frame({.opcode = 10, .payload = seen[0].payload});
  flow.pump();
  CHECK(total(flow.home.counters->ping_rtt[0]) == 1);
  CHECK(Counted(flow).tally.controls[0][RouteTally::pong].value() == 0);  // ours: not relayed
  flow.pass(20s);
  flow.pass(10s);
  flow.pass(6s);
  CHECK_FALSE(flow.alive());
  CHECK(flow.home.counters->dead_peers[0].value() == 1);
  CHECK(flow.home.counters->dead_peers[1].value() == 0);
}

}  // namespace fairlead::test
