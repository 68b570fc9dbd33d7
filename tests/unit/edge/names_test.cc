#include "proxy/edge/names.h"

#include "conf/load.h"
#include "proxy/edge/runtime.h"
#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

constexpr const char* kText = R"(
[[listener]]
address = "127.0.0.1:8080"
[[route]]
name = "chat"
backend = "named"
[[route]]
path = "/rest"
backend = "plain"
[[backend]]
name = "named"
servers = ["app.test:80", "10.0.0.9:80"]
[[backend]]
name = "plain"
servers = ["10.0.0.9:80"]
)";

std::shared_ptr<Runtime> make(const balance::Lookup& names) {
  auto loaded = conf::load_text(kText, "test", [](std::string_view) { return std::nullopt; });
  REQUIRE(loaded.config);
  auto made = Runtime::make(std::move(*loaded.config), nullptr, nullptr, names);
  REQUIRE(made.error == "");
  return made.runtime;
}

std::string servers(const Runtime& runtime) {
  std::string out;
  for (const auto& server : runtime.pools()[0]->servers()) out += server->name + " ";
  return out;
}

const conf::Address kLocalhost = *conf::Address::parse("localhost:80");

}  // namespace

TEST_CASE("names: a changed answer is the same configuration with other servers", "[edge][dns]") {
  balance::Endpoints app;
  const balance::Lookup names = [&](const conf::Address&) { return &app; };
  const auto before = make(names);
  CHECK(servers(*before) == "10.0.0.9:80 ");
  CHECK(Runtime::renewed(*before, names) == nullptr);
  app = {{*conf::Ip::parse("10.0.0.1")}, {*conf::Ip::parse("10.0.0.2")}};
  const auto after = Runtime::renewed(*before, names);
  REQUIRE(after);
  CHECK(servers(*after) == "10.0.0.1:80 10.0.0.2:80 10.0.0.9:80 ");
  CHECK(after->pools()[0]->origin(0) == "app.test:80");
  CHECK(after->pools()[0]->origin(2).empty());
  CHECK(after->pools()[0]->servers()[2] == before->pools()[0]->servers()[0]);
  CHECK(after->pools()[1] == before->pools()[1]);
  CHECK(&after->config() == &before->config());
  CHECK(after->routes()[0].pool == after->pools()[0]);
  CHECK(after->listeners()[0].settings == before->listeners()[0].settings);
  CHECK(Runtime::renewed(*after, names) == nullptr);
  app.clear();
  const auto last = Runtime::renewed(*after, names);
  REQUIRE(last);
  CHECK(servers(*last) == "10.0.0.9:80 ");
}

TEST_CASE("names: a pool without servers has none to give, whatever its policy", "[edge][dns]") {
  for (const auto policy :
       {conf::Backend::Balance::least_connections, conf::Backend::Balance::round_robin,
        conf::Backend::Balance::random_two, conf::Backend::Balance::hash}) {
    conf::Backend backend;
    backend.balance = policy;
    backend.sticky.emplace();
    backend.slow_start = 3;
    const auto pool = balance::Pool::make(backend);
    const auto lease = pool->pick({balance::kNoServer, 7}, {}, balance::Clock::time_point{});
    CHECK_FALSE(lease);
    CHECK_FALSE(lease.full());
  }
}

TEST_CASE("names: the hosts file and localhost are known at once", "[edge][dns]") {
  net::Loop loop;
  unsigned news = 0;
  Names names(loop, [&] { ++news; });
  CHECK(names.settled());
  CHECK(names.find(kLocalhost) == nullptr);
  names.follow({}, {kLocalhost});
  CHECK(names.settled());
  REQUIRE(names.find(kLocalhost));
  CHECK(names.find(kLocalhost)->front().ip.is_loopback());
  while (news == 0) loop.turn(true);
  CHECK(news == 1);
  names.follow({}, {});
  CHECK(names.find(kLocalhost) == nullptr);
}

TEST_CASE("names: patience with a silent name server ends", "[edge][dns]") {
  // Bound, and nobody reads there.
  const net::Fd silent(socket(AF_INET, SOCK_DGRAM, 0));
  net::SocketAddress raw{};
  raw.v4.sin_family = AF_INET;
  raw.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof raw.v4;
  REQUIRE(bind(silent.get(), &raw.any, size) == 0);
  REQUIRE(getsockname(silent.get(), &raw.any, &size) == 0);
  conf::Dns settings;
  settings.resolver = {
      *conf::Address::parse("127.0.0.1:" + std::to_string(ntohs(raw.v4.sin_port)))};
  settings.timeout = conf::Millis{60'000};
  net::Loop loop;
  unsigned news = 0;
  Names names(loop, [&] { ++news; });
  const auto app = *conf::Address::parse("app.test:80");
  names.follow(settings, {app, *conf::Address::parse_service("srv:_ws._tcp.test")});
  loop.turn(false);
  CHECK_FALSE(names.settled());
  loop.advance_clock(Names::kPatience - conf::Millis{100});
  loop.turn(false);
  CHECK_FALSE(names.settled());
  CHECK(news == 0);
  loop.advance_clock(conf::Millis{200});
  loop.turn(false);
  CHECK(names.settled());
  CHECK(news == 1);
  CHECK(names.find(app)->empty());
  // Other name servers: asked there, and what was under way elsewhere is given up.
  settings.timeout = conf::Millis{50'000};
  names.follow(settings, {app});
  loop.turn(false);
}

}  // namespace fairlead::edge
