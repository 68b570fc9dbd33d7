#include "proxy/balance/slow_start.h"

#include <numeric>
#include <random>

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

// Takes sessions as a pool does; `policy` picks. How often each server was taken.
std::vector<int> run(SlowStart& slow, std::vector<Candidate>& servers, Picker& policy, int picks) {
  std::vector<int> taken(servers.size());
  for (int i = 0; i < picks; ++i) {
    for (auto& server : servers) server.eligible = true;
    slow.apply(servers);
    const std::size_t chosen = policy.pick(servers, {});
    REQUIRE(chosen != kNoServer);
    slow.took(chosen);
    ++servers[chosen].sessions;
    ++taken[chosen];
  }
  return taken;
}

std::vector<Candidate> open(std::initializer_list<std::uint32_t> sessions) {
  std::vector<Candidate> servers;
  for (const auto count : sessions) {
    Candidate server;
    server.sessions = count;
    servers.push_back(server);
  }
  return servers;
}

}  // namespace

TEST_CASE("slow start: a new server gets one in n until it is warm", "[balance][slow_start]") {
  SlowStart slow(50, 4);
  auto servers = open({100, 100, 100, 0});
  servers[3].warming = true;
  const auto policy = make_picker(conf::Backend::Balance::least_connections);
  CHECK(run(slow, servers, *policy, 3)[3] == 0);
  CHECK(run(slow, servers, *policy, 1)[3] == 1);
  CHECK(run(slow, servers, *policy, 196)[3] == 49);
  CHECK(servers[3].sessions == 50);
  CHECK(servers[3].warming);
  // With 50 it is warm: the policy may send it all.
  CHECK(run(slow, servers, *policy, 10)[3] == 10);
  CHECK_FALSE(servers[3].warming);
}

TEST_CASE("slow start: turns go by weight", "[balance][slow_start]") {
  SlowStart slow(10'000, 3);
  auto servers = open({1000, 1000, 0});
  servers[0].weight = 2;
  servers[1].weight = 3;
  servers[2].weight = 2;
  servers[2].warming = true;
  const auto policy = make_picker(conf::Backend::Balance::least_connections);
  CHECK(run(slow, servers, *policy, 700)[2] == 200);
}

TEST_CASE("slow start: no window of n picks has more than its share", "[balance][slow_start]") {
  SlowStart slow(100'000, 3);
  auto servers = open({100'000, 100'000, 0});
  servers[0].weight = 3;
  servers[2].weight = 2;
  servers[2].warming = true;
  const auto policy = make_picker(conf::Backend::Balance::least_connections);
  int total = 0;
  for (int n = 1; n <= 600; ++n) {
    total += run(slow, servers, *policy, 1)[2];
    CHECK(total <= (n * 2 + 5) / 6);
  }
  CHECK(total == 200);
}

TEST_CASE("slow start: a server with its share is warm at once", "[balance][slow_start]") {
  const auto policy = make_picker(conf::Backend::Balance::least_connections);
  SECTION("none has any session") {
    SlowStart slow(1000, 3);
    auto servers = open({0, 0, 0});
    for (auto& server : servers) server.warming = true;
    CHECK(run(slow, servers, *policy, 3) == std::vector<int>{1, 1, 1});
    for (const auto& server : servers) CHECK_FALSE(server.warming);
  }
  SECTION("it has as many as its weight's part of all") {
    SlowStart slow(1000, 2);
    auto servers = open({30, 10});
    servers[0].weight = 3;
    servers[1].warming = true;
    run(slow, servers, *policy, 1);
    CHECK_FALSE(servers[1].warming);
  }
  SECTION("it is the only one") {
    SlowStart slow(1000, 1);
    auto servers = open({0});
    servers[0].warming = true;
    CHECK(run(slow, servers, *policy, 5)[0] == 5);
  }
}

TEST_CASE("slow start: there is always one that takes the session", "[balance][slow_start]") {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    SlowStart slow(1 + static_cast<std::uint32_t>(random() % 100), 5);
    std::vector<Candidate> servers(5);
    for (auto& server : servers) {
      server.weight = 1 + static_cast<std::uint32_t>(random() % 5);
      server.sessions = static_cast<std::uint32_t>(random() % 200);
      server.warming = random() % 2 == 0;
    }
    const auto policy = make_picker(random() % 2 == 0 ? conf::Backend::Balance::least_connections
                                                      : conf::Backend::Balance::round_robin);
    const auto taken = run(slow, servers, *policy, 5);
    REQUIRE(std::accumulate(taken.begin(), taken.end(), 0) == 5);
  }
}

}  // namespace fairlead::balance
