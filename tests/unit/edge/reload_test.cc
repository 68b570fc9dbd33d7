#include "proxy/edge/reload.h"

#include "conf/load.h"
#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

conf::Config config(const std::string& text) {
  auto loaded = conf::load_text(text, "test", [](std::string_view) { return std::nullopt; });
  for (const auto& problem : loaded.problems) UNSCOPED_INFO(problem.text());
  REQUIRE(loaded.config);
  return std::move(*loaded.config);
}

constexpr const char* kText = R"(
[[listener]]
address = "127.0.0.1:8080"
[[listener]]
address = "127.0.0.1:8081"
[[route]]
name = "chat"
path = "/chat"
backend = "a"
limits = { connections_per_ip = 3 }
[[route]]
name = "rest"
backend = "b"
[[backend]]
name = "a"
servers = ["127.0.0.1:1", "127.0.0.1:2"]
[[backend]]
name = "b"
servers = ["127.0.0.1:1"]
)";

std::shared_ptr<Runtime> make(conf::Config from, const Runtime* previous = nullptr) {
  auto made = Runtime::make(std::move(from), nullptr, previous);
  REQUIRE(made.error == "");
  return made.runtime;
}

}  // namespace

TEST_CASE("reload: backends are matched by name, servers within them", "[edge][reload]") {
  const auto before = make(config(kText));
  conf::Config next = config(kText);
  std::swap(next.backends[0], next.backends[1]);
  std::swap(next.backends[1].servers[0], next.backends[1].servers[1]);
  const auto after = make(std::move(next), before.get());
  CHECK(after->pools()[1]->servers()[0] == before->pools()[0]->servers()[1]);
  CHECK(after->pools()[1]->servers()[1] == before->pools()[0]->servers()[0]);
  CHECK(after->pools()[0]->servers()[0] == before->pools()[1]->servers()[0]);
  CHECK(after->routes()[0].pool == after->pools()[1]);
}

TEST_CASE("reload: counts per address go on by the route's name", "[edge][reload]") {
  const auto before = make(config(kText));
  const auto ip = conf::Ip::v4(0x0a000001);
  const auto now = rules::Clock::now();
  before->routes()[0].limits->enter(ip, now);
  conf::Config next = config(kText);
  std::swap(next.routes[0], next.routes[1]);
  const auto after = make(std::move(next), before.get());
  CHECK(after->routes()[1].limits->open(ip) == 1);
  next = config(kText);
  next.routes[0].name = "other";
  CHECK(make(std::move(next), before.get())->routes()[0].limits->open(ip) == 0);
}

namespace {

// Without the backend "a", and the route that led there.
conf::Config without_chat() {
  conf::Config next = config(kText);
  next.routes.erase(next.routes.begin());
  next.backends.erase(next.backends.begin());
  return next;
}

}  // namespace

TEST_CASE("reload: a backend that comes back finds the servers its sessions are at",
          "[edge][reload]") {
  const auto before = make(config(kText));
  const auto pool = before->pools()[0];
  auto open = std::optional(balance::Lease(pool, 0));
  pool->server(0).weight = 7;
  const auto gone = make(without_chat(), before.get());
  // One more that changes nothing, and one that has another server.
  const auto still = make(without_chat(), gone.get());
  conf::Config other = config(kText);
  other.backends[0].servers.erase(other.backends[0].servers.begin() + 1);
  const auto back = make(std::move(other), still.get());
  CHECK(back->pools()[0]->servers()[0] == pool->servers()[0]);
  CHECK(back->pools()[0]->server(0).sessions == 1);
  const auto whole = make(config(kText), back.get());
  CHECK(whole->pools()[0]->servers()[0] == pool->servers()[0]);
  CHECK(whole->pools()[0]->servers()[1] == pool->servers()[1]);
  CHECK(compare(*gone, *back).backends.added == 1);

  open.reset();
  CHECK(make(config(kText), still.get())->pools()[0]->servers()[0] != pool->servers()[0]);
  const auto forgotten = make(without_chat(), still.get());
  CHECK(forgotten->remains().pool("a") == nullptr);
}

TEST_CASE("reload: a route that comes back finds what it counted per address", "[edge][reload]") {
  auto before = make(config(kText));
  const auto ip = conf::Ip::v4(0x0a000001);
  before->routes()[0].limits->enter(ip, rules::Clock::now());
  const bool only_its_limits = GENERATE(false, true);
  conf::Config less = without_chat();
  if (only_its_limits) {
    less = config(kText);
    less.routes[0].limits.connections_per_ip.reset();
  }
  const auto gone = make(less, before.get());
  const auto still = make(less, gone.get());
  CHECK(make(config(kText), still.get())->routes()[0].limits->open(ip) == 1);
  // The last session that had it is over: nothing is left to be counted.
  before.reset();
  CHECK(make(config(kText), still.get())->routes()[0].limits->open(ip) == 0);
}

TEST_CASE("reload: what came and what went", "[edge][reload]") {
  const auto before = make(config(kText));
  before->set_bound(0, before->config().listeners[0].address, 1);
  before->set_bound(1, before->config().listeners[1].address, 2);
  conf::Config next = config(kText);
  next.listeners.pop_back();
  next.routes[0].name = "new";
  next.routes[0].backend = "c";
  next.backends[0].name = "c";
  next.backends[1].servers[0].address.port = 9;
  const auto after = make(std::move(next), before.get());
  after->set_bound(0, after->config().listeners[0].address, 1);
  const Changes changes = compare(*before, *after);
  CHECK(changes.text() ==
        "1 listener (1 removed), 2 routes (1 added, 1 removed), 2 backends (1 added, 1 removed), "
        "3 servers (3 added, 3 removed)");
  CHECK(changes.removed_routes == std::vector<std::string>{"chat"});
  REQUIRE(changes.removed_servers.size() == 3);
  CHECK(changes.removed_servers[0].backend == "a");
  CHECK(changes.removed_servers[2].backend == "b");
  CHECK(changes.removed_servers[2].server == before->pools()[1]->servers()[0]);
  CHECK(compare(*before, *before).text() == "2 listeners, 2 routes, 2 backends, 3 servers");
}

TEST_CASE("reload: a snapshot ends with its last user, the shared things go on", "[edge][reload]") {
  auto before = make(config(kText));
  const std::weak_ptr<const Runtime> watched = before;
  std::shared_ptr<const Runtime> session = before;
  balance::Lease lease = before->pools()[1]->pick(0, {}, balance::Clock::now());
  const auto after = make(config(kText), before.get());
  before.reset();
  CHECK_FALSE(watched.expired());
  CHECK(after->pools()[1]->server(0).sessions == 1);
  session.reset();
  CHECK(watched.expired());
  CHECK(lease.server().name == "127.0.0.1:1");
  lease.reset();
  CHECK(after->pools()[1]->server(0).sessions == 0);
}

TEST_CASE("reload: where a connection may go on", "[edge][reload]") {
  const auto before = make(config(kText));
  before->set_bound(0, before->config().listeners[0].address, 1);
  before->set_bound(1, before->config().listeners[1].address, 2);
  conf::Config next = config(kText);
  std::swap(next.listeners[0], next.listeners[1]);
  next.listeners[0].trusted_proxies.push_back(*conf::Cidr::parse("10.0.0.0/8"));
  const auto after = make(std::move(next), before.get());
  after->set_bound(0, after->config().listeners[0].address, 2);
  after->set_bound(1, after->config().listeners[1].address, 1);
  CHECK(after->successor_of(before->listeners()[0]) == &after->listeners()[1]);
  CHECK(after->successor_of(before->listeners()[1]) == nullptr);  // trusts others
  CHECK(before->successor_of(before->listeners()[1]) == &before->listeners()[1]);
  after->set_bound(1, after->config().listeners[1].address, 3);
  CHECK(after->successor_of(before->listeners()[0]) == nullptr);  // another socket
}

TEST_CASE("reload: what needs a restart is kept and said", "[edge][reload]") {
  const conf::Config running = config(std::string("[server]\nworkers = 2\n") + kText);
  conf::Config next = running;
  CHECK(keep_what_needs_restart(running, next).empty());
  next.server.workers = 4;
  next.server.user = "nobody";
  next.server.max_connections = 7;
  next.log.file = "/elsewhere";
  next.log.access = "off";
  next.log.format = conf::Log::Format::json;
  next.log.level = conf::Log::Level::debug;
  const auto warnings = keep_what_needs_restart(running, next);
  CHECK(warnings.size() == 5);
  CHECK(warnings[0] == "server.workers has changed: it takes effect at the next start");
  CHECK(next.server.workers == 2);
  CHECK(next.server.user.empty());
  CHECK(next.log.access == running.log.access);
  CHECK(next.server.max_connections == 7);
  CHECK(next.log.level == conf::Log::Level::debug);
}

}  // namespace fairlead::edge
