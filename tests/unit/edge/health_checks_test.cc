#include "proxy/edge/health_checks.h"

#include "proxy/net/socket.h"
#include "tests/support/catch.h"
#include "tests/unit/edge/health.h"

namespace fairlead::edge {

using namespace std::chrono_literals;
using Type = conf::Health::Type;

TEST_CASE("checks: rise and fall by the interval, up to the pool", "[edge][health]") {
  net::Bound bound = net::listen_on(loopback());
  conf::Config config;
  conf::Backend backend;
  backend.name = "chat";
  backend.health = settings(Type::tcp);
  conf::BackendServer server;
  server.address = bound.address;
  backend.servers.push_back(server);
  config.backends.push_back(backend);
  backend.name = "unchecked";
  backend.health.reset();
  config.backends.push_back(backend);
  const auto made = Runtime::make(config);
  REQUIRE(made.runtime);
  balance::PoolServer& checked = made.runtime->pools()[0]->server(0);
  made.runtime->pools()[1]->set_up(0, false);

  net::Loop loop;
  const HealthChecks checks(loop, made.runtime);
  CHECK(made.runtime->pools()[1]->server(0).up);
  const auto pass = [&](std::chrono::milliseconds time) {
    loop.advance_clock(time);
    for (int i = 0; i < 20; ++i) loop.turn(false);
  };
  CHECK_FALSE(checked.checked);
  pass(5s);  // the first one comes within an interval
  CHECK(checked.checked);
  CHECK(checked.up);
  bound.fd.reset();
  pass(5500ms);
  pass(5500ms);
  CHECK(checked.up);
  pass(5500ms);
  CHECK_FALSE(checked.up);
  bound = net::listen_on(bound.address);
  REQUIRE(bound.fd);
  pass(5500ms);
  CHECK_FALSE(checked.up);
  pass(4000ms);  // earlier than any jitter
  CHECK_FALSE(checked.up);
  pass(1500ms);
  CHECK(checked.up);
}

TEST_CASE("checks: reloads more frequent than the interval put none off", "[edge][health]") {
  const net::Bound bound = net::listen_on(loopback());
  conf::Config config;
  conf::Backend backend;
  backend.name = "chat";
  backend.health = settings(Type::tcp);
  conf::BackendServer server;
  server.address = bound.address;
  backend.servers.push_back(server);
  config.backends.push_back(backend);
  auto made = Runtime::make(config);
  REQUIRE(made.runtime);

  net::Loop loop;
  HealthChecks checks(loop, made.runtime);
  for (int reload = 0; reload < 6; ++reload) {
    made = Runtime::make(config, nullptr, made.runtime.get());
    REQUIRE(made.runtime);
    checks.use(made.runtime);
    loop.advance_clock(1s);
    for (int i = 0; i < 20; ++i) loop.turn(false);
  }
  CHECK(made.runtime->pools()[0]->server(0).checked);

  // One that is checked otherwise from now on begins anew.
  config.backends[0].health->interval = 500ms;
  made = Runtime::make(config, nullptr, made.runtime.get());
  REQUIRE(made.runtime);
  made.runtime->pools()[0]->server(0).checked = false;
  checks.use(made.runtime);
  loop.advance_clock(500ms);
  for (int i = 0; i < 20; ++i) loop.turn(false);
  CHECK(made.runtime->pools()[0]->server(0).checked);
}

}  // namespace fairlead::edge
