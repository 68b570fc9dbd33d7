// A worker's view of its sessions: lists, rates, closing, a slice a turn.

#include "proxy/edge/inspector.h"

#include "proxy/observe/json_value.h"
#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

using edge::Inspector;
using observe::SessionQuery;

struct Idle final : edge::Link {
  explicit Idle(edge::Links& links) : Link(links) {}

  void drain(net::TimePoint) override {}

  void force_end() override { die(); }
};

struct Asked {
  Asked() { flow.start(); }

  // What is told of the session, once it is.
  std::optional<observe::JsonValue> told() const {
    if (!rows || rows->empty()) return std::nullopt;
    return observe::parse_json(rows->front().json);
  }

  void describe(std::uint64_t id) {
    rows.reset();
    inspector.describe({id}, [this](std::vector<edge::Described> got) { rows = std::move(got); });
  }

  edge::Ranking rank(const SessionQuery& query) {
    std::optional<edge::Ranking> got;
    inspector.rank(query, [&](edge::Ranking ranking) { got = std::move(ranking); });
    // Waiting turns: one that does not wait goes round until nothing is left to do.
    for (turns = 1; !got && turns < 100; ++turns) flow.loop.turn(true);
    REQUIRE(got);
    return *got;
  }

  Flow flow;
  net::Mailbox mailbox{flow.loop};
  Inspector inspector{flow.home, mailbox};
  std::optional<std::vector<edge::Described>> rows;
  int turns = 0;
};

}  // namespace

TEST_CASE("inspector: a young session's rates are those since it began", "[flow][inspector]") {
  Asked asked;
  asked.flow.pass(2s);
  asked.flow.client->text("0123456789");
  asked.flow.client->text("0123456789");
  asked.flow.pump();
  asked.describe(1);
  const auto told = asked.told();
  REQUIRE(told);
  CHECK(told->string_of("conn_id") == "0000000000000001");
  CHECK(told->number_of("msgs_in") == 2);
  CHECK(told->number_of("bytes_per_s") == Approx(10).margin(1));
  CHECK(told->number_of("msgs_per_s") == Approx(1).margin(0.1));
}

TEST_CASE("inspector: an older one is looked at twice, later ones are answered at once",
          "[flow][inspector]") {
  Asked asked;
  asked.flow.client->text(std::string(1000, 'x'));
  asked.flow.pass(15s);
  asked.describe(1);
  CHECK_FALSE(asked.rows);
  asked.flow.client->text(std::string(50, 'x'));
  asked.flow.pass(1s);
  REQUIRE(asked.told());
  CHECK(asked.told()->number_of("bytes_per_s") == Approx(50).margin(5));
  asked.flow.pass(2s);
  asked.describe(1);
  REQUIRE(asked.told());
  CHECK(asked.told()->number_of("bytes_per_s") == 0);
  CHECK(asked.told()->number_of("idle_ms") == Approx(2000).margin(100));
}

TEST_CASE("inspector: thousands of links are gone through in slices", "[flow][inspector]") {
  Asked asked;
  for (int i = 0; i < 1700; ++i) asked.flow.links.adopt(std::make_unique<Idle>(asked.flow.links));
  const edge::Ranking ranking = asked.rank({});
  CHECK(ranking.total == 1);
  REQUIRE(ranking.first.size() == 1);
  CHECK(ranking.first[0].id == 1);
  CHECK(asked.turns >= 4);
}

TEST_CASE("inspector: filters", "[flow][inspector]") {
  Asked asked;
  SessionQuery query;
  query.filter.route = "other";
  CHECK(asked.rank(query).total == 0);
  query.filter = {};
  query.filter.client = conf::Cidr::parse("127.0.0.1");  // it came over a unix socket
  CHECK(asked.rank(query).total == 0);
  query.filter = {};
  query.filter.server = "10.0.0.1:80";
  CHECK(asked.rank(query).total == 0);
}

TEST_CASE("inspector: closing waits for the end of a message, but not for ever",
          "[flow][inspector]") {
  const bool finishes = GENERATE(true, false);
  Asked asked;
  Flow& flow = asked.flow;
  flow.backend->send_frame({.opcode = 1, .payload = "begun", .fin = false});
  flow.pump();
  Inspector::Closed closed = Inspector::Closed::no_such;
  asked.inspector.close(1, [&](Inspector::Closed result) { closed = result; });
  flow.pump();
  CHECK(closed == Inspector::Closed::yes);
  CHECK(flow.client->close_code() == -1);
  if (finishes) {
    flow.backend->send_frame({.opcode = 0, .payload = "done"});
    flow.pump();
  } else {
    flow.pass(6s);
  }
  CHECK(flow.client->close_code() == 1001);
  CHECK(flow.client->close_reason() == "closed by an operator");
  CHECK(flow.backend->close_code() == -1);
  flow.client->close_frame(1001);
  flow.pump();
  CHECK(flow.backend->close_code() == 1001);
  asked.inspector.close(1, [&](Inspector::Closed result) { closed = result; });
  CHECK(closed == Inspector::Closed::ending_already);
  asked.inspector.close(2, [&](Inspector::Closed result) { closed = result; });
  CHECK(closed == Inspector::Closed::no_such);
}

TEST_CASE("inspector: all that match are closed", "[flow][inspector]") {
  Asked asked;
  std::size_t count = 7;
  observe::SessionFilter filter;
  filter.route = "nope";
  asked.inspector.close(filter, [&](std::size_t closed) { count = closed; });
  CHECK(count == 0);
  filter.route = asked.flow.route.name;
  filter.backend = asked.flow.route.backend;
  asked.inspector.close(filter, [&](std::size_t closed) { count = closed; });
  CHECK(count == 1);
  asked.flow.pump();
  CHECK(asked.flow.client->close_code() == 1001);
}

}  // namespace fairlead::test
