#include "proxy/edge/removal.h"

#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

using Policy = RemovalPolicies::Policy;

struct Named {
  std::string name;
  std::string backend;
  Policy policy;
};

std::shared_ptr<Runtime> make(const std::vector<Named>& routes) {
  conf::Config config;
  for (const char* name : {"a", "b"}) {
    conf::Backend& backend = config.backends.emplace_back();
    backend.name = name;
    backend.servers.emplace_back().address.ip = conf::Ip::v4(0x7f000001);
  }
  for (const Named& named : routes) {
    conf::Route& route = config.routes.emplace_back();
    route.name = named.name;
    route.path = "/" + named.name;
    route.backend = named.backend;
    route.on_removal = named.policy;
  }
  auto made = Runtime::make(std::move(config));
  REQUIRE(made.error == "");
  return made.runtime;
}

conf::Route began(const std::string& name, Policy policy) {
  conf::Route route;
  route.name = name;
  route.on_removal = policy;
  return route;
}

}  // namespace

TEST_CASE("removal: the newest configuration that has the route decides", "[edge][removal]") {
  const auto before = make({{"gone", "a", Policy::close}, {"stays", "a", Policy::close}});
  const auto after = make({{"stays", "a", Policy::keep}, {"new", "a", Policy::close}});
  const RemovalPolicies policies(*before, *after);
  CHECK(policies.of(began("gone", Policy::keep)) == Policy::close);
  CHECK(policies.of(began("stays", Policy::close)) == Policy::keep);
  CHECK(policies.of(began("older", Policy::drain)) == Policy::drain);
  CHECK(policies.has(Policy::keep));
  CHECK(policies.has(Policy::close));
  CHECK_FALSE(policies.has(Policy::drain));
  const auto shared = std::make_shared<const RemovalPolicies>(policies);
  CHECK(Removal{shared, Policy::keep}.concerns(began("stays", Policy::close)));
  CHECK_FALSE(Removal{shared, Policy::close}.concerns(began("stays", Policy::close)));
}

TEST_CASE("removal: the log says what becomes of the sessions", "[edge][removal]") {
  const auto before = make({{"one", "a", Policy::keep}, {"two", "b", Policy::close}});
  const auto after = make({{"one", "a", Policy::keep}});
  const RemovalPolicies policies(*before, *after);
  CHECK(policies.route_words("one") == "its sessions stay");
  CHECK(policies.route_words("two") == "its sessions are closed");
  CHECK(policies.server_words("a") == "its sessions stay");
  CHECK(policies.server_words("b") == "its sessions are closed");
  CHECK(policies.server_words("c") == "its sessions stay");
  const auto mixed = make({{"one", "a", Policy::drain}, {"two", "a", Policy::close}});
  CHECK(RemovalPolicies(*mixed, *mixed).server_words("a") == "its sessions go as their routes say");
  CHECK(RemovalPolicies(*mixed, *mixed).route_words("one") == "its sessions are drained");
}

}  // namespace fairlead::edge
