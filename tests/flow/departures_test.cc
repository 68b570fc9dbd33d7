// A worker's part of a drain: which sessions go, and when each of them does.

#include "proxy/edge/departures.h"

#include <algorithm>

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

// Sessions of one worker, on one loop.
struct Fleet {
  explicit Fleet(std::size_t sessions) {
    loop.on_turn_end([this] { links.bury(); });
    for (std::size_t i = 0; i < sessions; ++i) add();
  }

  edge::Tunnel& add() {
    const SocketPair to_client = make_pair();
    const SocketPair to_backend = make_pair();
    clients.push_back(std::make_unique<FarEnd>(to_client.far, true));
    backends.push_back(std::make_unique<FarEnd>(to_backend.far, false));
    edge::TunnelParts parts;
    parts.client = std::make_unique<net::Stream>(loop, to_client.near);
    parts.backend = std::make_unique<net::Stream>(loop, to_backend.near);
    parts.route = &runtime;
    auto made = std::make_unique<edge::Tunnel>(home, std::move(parts));
    edge::Tunnel& tunnel = *made;
    links.adopt(std::move(made));
    tunnel.start("", "");
    return tunnel;
  }

  void pass(std::chrono::milliseconds by) {
    loop.advance_clock(by);
    for (int i = 0; i < 3; ++i) {
      loop.turn(false);
      for (auto& one : clients) one->pump();
      for (auto& one : backends) one->pump();
    }
  }

  // The clients that have been told, in numbers.
  std::vector<std::size_t> told() const {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < clients.size(); ++i)
      if (clients[i]->close_code() == 1012) result.push_back(i);
    return result;
  }

  edge::DrainOrder order(double rate) {
    edge::DrainOrder order;
    order.job = 7;
    order.rate = rate;
    order.patience = 30s;
    order.count = count;
    return order;
  }

  conf::Route route;
  net::Loop loop;
  edge::Links links;
  observe::AccessLog access{nullptr};
  edge::Home home{loop, links, access};
  edge::RouteRuntime runtime = edge::make_route(route, nullptr);
  edge::Departures departures{home};
  std::shared_ptr<edge::LeaveCount> count = std::make_shared<edge::LeaveCount>();
  std::vector<std::unique_ptr<FarEnd>> clients;
  std::vector<std::unique_ptr<FarEnd>> backends;
};

using Numbers = std::vector<std::size_t>;

}  // namespace

TEST_CASE("departures: the longest idle go first, at the rate", "[flow][leaving]") {
  Fleet fleet(6);
  for (const std::size_t i : {3, 1, 5, 0, 2, 4}) {
    fleet.clients[i]->text("hello");
    fleet.pass(1s);
  }
  const auto order = fleet.order(1);
  CHECK(fleet.departures.count(order) == 6);
  fleet.departures.begin(order);
  Numbers expected;
  for (const std::size_t i : {3, 1, 5, 0, 2, 4}) {
    fleet.pass(1s);
    expected.push_back(i);
    std::sort(expected.begin(), expected.end());
    CHECK(fleet.told() == expected);
  }
  CHECK(fleet.count->total == 6);
  CHECK(fleet.count->told == 6);
}

TEST_CASE("departures: at once is at once", "[flow][leaving]") {
  Fleet fleet(50);
  fleet.departures.begin(fleet.order(0));
  fleet.pass(60ms);  // 50 at Pace::kAtOnce: 20 ms, some jitter, and a turn of the timers
  CHECK(fleet.told().size() == 50);
}

TEST_CASE("departures: what a stop finds untold stays", "[flow][leaving]") {
  Fleet fleet(10);
  fleet.departures.begin(fleet.order(1));
  fleet.pass(4s);
  const auto told = fleet.told().size();
  CHECK(told >= 3);
  CHECK(told <= 5);
  fleet.departures.stop(6);  // another job
  fleet.departures.stop(7);
  CHECK(fleet.count->left == told);
  fleet.pass(30s);  // nobody answers: first the client's time is up, then the server's
  fleet.pass(6s);
  CHECK(fleet.told().size() == told);
  CHECK(fleet.links.size() == 10 - told);
}

TEST_CASE("departures: a limit, an age and an idle time bound the choice", "[flow][leaving]") {
  Fleet fleet(4);
  fleet.pass(10s);
  fleet.add();
  fleet.clients[2]->text("busy");
  fleet.pass(2s);
  auto order = fleet.order(0);
  order.min_age = 5s;
  order.min_idle = 3s;
  CHECK(fleet.departures.count(order) == 3);
  order.limit = 2;
  fleet.departures.begin(order);
  fleet.pass(1s);
  CHECK(fleet.told().size() == 2);
}

TEST_CASE("departures: late comers of a lasting job follow, and of a stopped one stay",
          "[flow][leaving]") {
  Fleet fleet(2);
  auto order = fleet.order(1);
  order.lasting = true;
  fleet.departures.begin(order);
  fleet.departures.on_session(fleet.add());
  fleet.pass(2100ms);
  CHECK(fleet.told() == Numbers{0, 1, 2});
  fleet.departures.stop(7);
  fleet.departures.on_session(fleet.add());
  fleet.pass(10s);
  fleet.pass(6s);
  CHECK(fleet.told().size() == 3);
  CHECK(fleet.links.size() == 1);
}

TEST_CASE("departures: a session freed by one job belongs to the next", "[flow][leaving]") {
  Fleet fleet(3);
  auto first = fleet.order(0.001);
  auto second = fleet.order(1);
  second.job = 8;
  second.lasting = true;
  fleet.departures.begin(first);
  fleet.departures.begin(second);
  fleet.departures.stop(7);
  fleet.pass(4s);
  CHECK(fleet.told().size() == 3);
}

TEST_CASE("departures: the sessions of a route, a listener or a server", "[flow][leaving]") {
  Fleet fleet(1);
  fleet.route.name = "chat";
  auto order = fleet.order(0);
  using Kind = edge::Scope::Kind;
  const auto server = std::make_shared<balance::PoolServer>();
  for (const auto& [scope, count] : std::vector<std::pair<edge::Scope, std::uint32_t>>{
           {{Kind::all, "", nullptr, ""}, 1},
           {{Kind::route, "chat", nullptr, ""}, 1},
           {{Kind::route, "other", nullptr, ""}, 0},
           {{Kind::listener, "0.0.0.0:443", nullptr, ""}, 0},
           {{Kind::server, "", server, "chat"}, 0}}) {
    order.scope = scope;
    CAPTURE(scope.kind);
    CHECK(fleet.departures.count(order) == count);
  }
}

}  // namespace fairlead::test
