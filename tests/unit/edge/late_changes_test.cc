#include "proxy/edge/late_changes.h"

#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

using balance::AdminState;

Heirloom::Server server(const char* name, AdminState state = AdminState::ready,
                        std::uint32_t weight = 1) {
  Heirloom::Server made;
  made.name = name;
  made.state = state;
  made.weight = weight;
  return made;
}

Heirloom::Listener listener(const char* address, bool drained = false) {
  Heirloom::Listener made;
  made.address = address;
  made.drained = drained;
  return made;
}

Heirloom given() {
  Heirloom heirloom;
  heirloom.listeners = {listener("127.0.0.1:0"), listener("127.0.0.1:0", true),
                        listener("0.0.0.0:443", true)};
  heirloom.backends = {{"a", "secret", {server("10.0.0.1:1"), server("10.0.0.2:1")}},
                       {"b \"quoted\"", "", {server("10.0.0.1:1", AdminState::drain, 5)}}};
  heirloom.drained_routes = {"chat", "rest"};
  return heirloom;
}

}  // namespace

TEST_CASE("late changes: where nothing was set there are none", "[edge][late_changes]") {
  Heirloom now = given();
  now.backends[0].servers[0].up = false;                    // the new process checks by itself
  now.backends[0].servers.push_back(server("10.0.0.9:1"));  // and resolves by itself
  CHECK(LateChanges::between(given(), now).size() == 0);
  CHECK(release_text({}) == "go\n");
}

TEST_CASE("late changes: what was set comes out at the other end", "[edge][late_changes]") {
  Heirloom now = given();
  now.listeners[0].drained = true;
  now.listeners[1].drained = false;
  now.backends[0].servers[0].state = AdminState::drain;
  now.backends[0].servers[1].weight = 7;
  now.backends[1].servers[0].state = AdminState::down;
  now.backends[0].servers.push_back(server("10.0.0.9:1", AdminState::down));
  now.drained_routes = {"rest", "new\n\"one\""};
  LateChanges made = LateChanges::between(given(), now);
  made.reload = true;
  const std::string text = release_text(made);
  CHECK(text.find('\n') == text.size() - 1);
  const auto got = parse_release(text);
  REQUIRE(got);
  CHECK(got->size() == 9);
  REQUIRE(got->servers.size() == 4);
  CHECK(got->servers[0].backend == "a");
  CHECK(got->servers[0].name == "10.0.0.1:1");
  CHECK(got->servers[0].state == AdminState::drain);
  CHECK_FALSE(got->servers[0].weight);
  CHECK_FALSE(got->servers[1].state);
  CHECK(got->servers[1].weight == 7U);
  CHECK(got->servers[2].name == "10.0.0.9:1");
  CHECK(got->servers[3].backend == "b \"quoted\"");
  CHECK(got->servers[3].state == AdminState::down);
  REQUIRE(got->listeners.size() == 2);
  CHECK(got->listeners[0].nth == 0);
  CHECK(got->listeners[0].drained);
  CHECK(got->listeners[1].nth == 1);
  CHECK_FALSE(got->listeners[1].drained);
  REQUIRE(got->routes.size() == 2);
  CHECK(got->routes[0].name == "new\n\"one\"");
  CHECK(got->routes[0].drained);
  CHECK(got->routes[1].name == "chat");
  CHECK_FALSE(got->routes[1].drained);
  CHECK(got->reload);

  Heirloom waiting = given();
  got->apply(waiting);
  CHECK(waiting.backends[0].servers[0].state == AdminState::drain);
  CHECK(waiting.backends[0].servers[1].weight == 7);
  CHECK(waiting.backends[1].servers[0].state == AdminState::down);
  CHECK(waiting.backends[1].servers[0].weight == 5);
}

TEST_CASE("late changes: a last word is a line; none is no change", "[edge][late_changes]") {
  CHECK(parse_release("")->size() == 0);      // it has died
  CHECK(parse_release("go\n")->size() == 0);  // as older versions say it
  for (const char* text : {"go", "stop\n", "go {\n", "go []\n", "go {\"servers\":["}) {
    CAPTURE(text);
    CHECK_FALSE(parse_release(text));
  }
}

}  // namespace fairlead::edge
