// What the clock ends: slow readers, idle and old sessions, a process that stops.

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {

TEST_CASE("deadlines: a client that takes no byte for write_stall is closed with 1008",
          "[flow][deadline]") {
  conf::Route route;
  route.timeouts.write_stall = 30s;
  Flow flow(route, {.buffer = 4096});
  flow.start();
  flow.client->stop_reading(true);
  for (int i = 0; i < 30; ++i) flow.backend->text(std::string(2000, 's'));
  flow.pump();
  REQUIRE(flow.held_for_client() > 0);
  flow.walk(30s);
  CHECK(flow.backend->close_code() == -1);
  // Found by an eighth late at most.
  flow.walk(4s);
  CHECK(flow.backend->close_code() == 1001);
  flow.backend->close_frame(1001);
  flow.backend->half_close();
  // It wakes up and finds whole frames, and the Close.
  flow.client->stop_reading(false);
  flow.pump();
  CHECK(flow.client->close_code() == 1008);
  flow.client->close_frame(1008);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("slow_client")"));
}

TEST_CASE(
    "deadlines: a backend that takes no byte for write_stall is given up, the client told 1011",
    "[flow][deadline]") {
  conf::Route route;
  route.timeouts.write_stall = 30s;
  route.websocket.ping_interval.reset();
  Flow flow(route, {.buffer = 4096});
  flow.start();
  flow.backend->stop_reading(true);
  for (int i = 0; i < 30; ++i) flow.client->text(std::string(2000, 's'));
  flow.pump().walk(30s);
  CHECK(flow.client->close_code() == -1);
  flow.walk(4s);
  CHECK(flow.client->close_code() == 1011);
  flow.client->close_frame(1011);
  flow.pump().pass(6s);
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("slow_backend")"));
}

TEST_CASE("deadlines: a slow reader that takes a little now and then is not stalled",
          "[flow][deadline]") {
  conf::Route route;
  route.timeouts.write_stall = 10s;
  route.websocket.ping_interval.reset();
  Flow flow(route, {.buffer = 4096});
  flow.start();
  flow.client->stop_reading(true);
  for (int i = 0; i < 60; ++i) flow.backend->text(std::string(2000, 's'));
  flow.pump();
  for (int i = 0; i < 20 && flow.held_for_client() > 0; ++i) {
    flow.pass(6s);
    char some[3000];
    while (recv(flow.client->fd(), some, sizeof some, 0) == sizeof some && i % 2 == 0) {
    }
  }
  CHECK(flow.backend->close_code() == -1);
}

TEST_CASE("deadlines: idle_timeout counts data frames only", "[flow][deadline]") {
  conf::Route route;
  route.websocket.idle_timeout = 60s;
  Flow flow(route);
  flow.start();
  for (int i = 0; i < 5; ++i) {
    flow.pass(20s);
    if (i == 0) flow.client->text("data");
    if (i == 1) flow.backend->text("data");
    // The app's pings and pongs and our own keep nothing alive.
    flow.client->send_frame({.opcode = 9});
    flow.backend->send_frame({.opcode = 10});
    flow.pump();
  }
  // Data at 20 and 40 s: over at 100 s.
  CHECK(flow.client->close_code() == 1001);
  CHECK(flow.client->close_reason() == "idle for too long");
  CHECK(flow.backend->close_code() == -1);
  flow.client->close_frame(1001);
  flow.pump();
  CHECK(flow.backend->close_code() == 1001);
}

TEST_CASE("deadlines: each data frame puts idle_timeout off", "[flow][deadline]") {
  conf::Route route;
  route.websocket.idle_timeout = 15s;
  Flow flow(route);
  flow.start();
  for (int i = 0; i < 10; ++i) {
    flow.pass(14s);
    (i % 2 == 0 ? flow.client : flow.backend)->text("x");
    flow.pump();
  }
  CHECK(flow.client->close_code() == -1);
  flow.pass(15s);
  CHECK(flow.client->close_code() == 1001);
}

TEST_CASE("deadlines: max_lifetime ends even a lively session", "[flow][deadline]") {
  conf::Route route;
  route.websocket.max_lifetime = 60s;
  Flow flow(route);
  flow.start();
  for (int i = 0; i < 6; ++i) {
    CHECK(flow.client->close_code() == -1);
    flow.client->text("x");
    flow.backend->text("x");
    flow.pass(10s);
  }
  CHECK(flow.client->close_code() == 1001);
  CHECK(flow.backend->close_code() == -1);
  flow.client->close_frame(1001);
  flow.pump();
  CHECK(flow.backend->close_code() == 1001);
}

TEST_CASE("deadlines: a drain waits for the boundary until its own deadline", "[flow][deadline]") {
  const bool from_client = GENERATE(true, false);
  Flow flow;
  flow.start();
  FarEnd& sender = from_client ? *flow.client : *flow.backend;
  FarEnd& other = from_client ? *flow.backend : *flow.client;
  const std::string frame =
      make({.opcode = 2, .payload = std::string(3000, 'd'), .masked = from_client});
  sender.send(frame.substr(0, 100));
  flow.pump();
  flow.tunnel->drain(flow.loop.now() + 30s);
  flow.pump();
  // The backend would leave its message unfinished if it were told.
  CHECK(sender.close_code() == (from_client ? 1001 : -1));
  CHECK(other.close_code() == -1);
  flow.pass(20s);
  REQUIRE(flow.alive());
  sender.send(frame.substr(100));
  flow.pump();
  sender.close_frame(1001);
  flow.pump();
  CHECK(other.received().substr(0, frame.size()) == frame);
  CHECK(other.close_code() == 1001);
  other.close_frame(1001);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("stopping")"));
}

TEST_CASE("deadlines: once its Close is out a drain waits five seconds for each answer",
          "[flow][deadline]") {
  Flow flow;
  flow.start();
  const std::string frame = make({.opcode = 2, .payload = std::string(3000, 'd')});
  flow.backend->send(frame.substr(0, 100));
  flow.pump();
  flow.tunnel->drain(flow.loop.now() + 60s);
  flow.pump().pass(20s);
  flow.backend->send(frame.substr(100));
  flow.pump();
  CHECK(flow.client->close_code() == 1001);
  flow.pass(4s);
  CHECK(flow.backend->close_code() == -1);
  flow.pass(1s);
  CHECK(flow.client->end() == FarEnd::End::eof);
  CHECK(flow.backend->close_code() == 1001);
  flow.pass(4s);
  CHECK(flow.alive());
  flow.pass(1s);
  CHECK_FALSE(flow.alive());
}

TEST_CASE("deadlines: a Close that had to wait has its five seconds too", "[flow][deadline]") {
  Flow flow;
  flow.start();
  const std::string frame = make({.opcode = 2, .payload = std::string(3000, 'd')});
  flow.backend->send(frame.substr(0, 100));
  flow.pump();
  flow.client->send_frame({.opcode = 11});
  flow.pump().pass(4s);
  flow.backend->send(frame.substr(100));
  flow.pump();
  CHECK(flow.client->close_code() == 1002);
  flow.pass(4s);
  CHECK(flow.alive());
  flow.pass(1s);
  CHECK_FALSE(flow.alive());
}

TEST_CASE("deadlines: a drain in the middle of a frame ends at its deadline at the latest",
          "[flow][deadline]") {
  Flow flow;
  flow.start();
  flow.client->send(
      make({.opcode = 2, .payload = std::string(3000, 'd'), .masked = true}).substr(0, 100));
  flow.pump();
  flow.tunnel->drain(flow.loop.now() + 30s);
  flow.pump().pass(29s);
  CHECK(flow.alive());
  flow.pass(1s);
  CHECK_FALSE(flow.alive());
  CHECK(flow.backend->close_code() == -1);
  CHECK(flow.close_lines() == 1);
}

TEST_CASE("deadlines: a drain of a session that ends already does not hold it up",
          "[flow][deadline]") {
  Flow flow;
  flow.start();
  flow.client->close_frame(1000);
  flow.pump();
  flow.tunnel->drain(flow.loop.now() + 30s);
  flow.pump();
  CHECK(flow.backend->close_code() == 1000);
  flow.pass(6s);
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("client_closed")"));
}

TEST_CASE("deadlines: at a frame boundary a drain waits five seconds for the answers",
          "[flow][deadline]") {
  Flow flow;
  flow.start();
  flow.tunnel->drain(flow.loop.now() + 30s);
  flow.pump().pass(4s);
  CHECK(flow.client->close_code() == 1001);
  CHECK(flow.backend->close_code() == -1);
  flow.pass(1s).pass(4s);
  CHECK(flow.backend->close_code() == 1001);
  CHECK(flow.alive());
  flow.pass(1s);
  CHECK_FALSE(flow.alive());
}

TEST_CASE("deadlines: force_end ends at once, with one line, whatever the state",
          "[flow][deadline]") {
  const int state = GENERATE(0, 1, 2, 3);
  Flow flow({}, {.buffer = 4096});
  flow.start();
  if (state == 1) flow.client->send(std::string("\x82\xfe\x10", 3));
  if (state == 2) flow.client->close_frame(1000);
  if (state == 3) {
    flow.client->stop_reading(true);
    flow.backend->text(std::string(50'000, 'x'));
  }
  flow.pump();
  flow.tunnel->force_end();
  CHECK(flow.links.size() == 0);
  flow.tunnel->force_end();  // not buried yet: does nothing
  flow.tunnel->drain(flow.loop.now());
  flow.pump();
  CHECK(flow.close_lines() == 1);
  CHECK(flow.logged("reason", state == 2 ? R"("client_closed")" : R"("forced_stop")"));
  flow.client->stop_reading(false);
  flow.pump();
  CHECK(flow.client->end() != FarEnd::End::open);
  CHECK(flow.backend->end() != FarEnd::End::open);
}

TEST_CASE("deadlines: the busy count follows the session", "[flow][deadline]") {
  Flow flow;
  flow.start();
  CHECK(flow.home.busy == 1);
  flow.tunnel->force_end();
  flow.pump();
  CHECK(flow.home.busy == 0);
}

}  // namespace fairlead::test
