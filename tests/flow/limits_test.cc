// max_message, and the client's message and byte rates with the clock turned by hand.

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

// One token a minute or so: what real time passes during a test is nothing to it.
conf::Route messages(double per_minute, double burst) {
  conf::Route route;
  route.limits.messages = conf::Rate{per_minute / 60, burst};
  route.websocket.ping_interval.reset();
  return route;
}

conf::Route bytes(double per_minute, double burst) {
  conf::Route route;
  route.limits.bytes = conf::Rate{per_minute / 60, burst};
  route.websocket.ping_interval.reset();
  return route;
}

std::size_t data_frames(const FarEnd& end) {
  std::size_t count = 0;
  for (const Seen& seen : end.frames()) count += seen.opcode < 8 ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("limits: max_message at n - 1, n and n + 1, in one frame", "[flow][limits]") {
  const bool client = GENERATE(true, false);
  const std::size_t size = GENERATE(99U, 100U, 101U);
  conf::Route route;
  (client ? route.websocket.max_message : route.websocket.max_message_from_backend) = 100;
  Flow flow(route);
  flow.start();
  FarEnd& from = client ? *flow.client : *flow.backend;
  FarEnd& to = client ? *flow.backend : *flow.client;
  from.text(std::string(size, 'x'));
  flow.pump();
  CHECK(to.close_code() == (size > 100 ? 1009 : -1));
  CHECK(from.close_code() == (size > 100 ? 1009 : -1));
  CHECK(data_frames(to) == (size > 100 ? 0 : 1));
}

TEST_CASE("limits: max_message adds fragments up and forgets the message before",
          "[flow][limits]") {
  const std::size_t last = GENERATE(0U, 49U, 50U, 51U);
  conf::Route route;
  route.websocket.max_message = 100;
  Flow flow(route);
  flow.start();
  flow.client->text(std::string(100, 'a'));
  flow.client->send_frame({.opcode = 1, .payload = std::string(25, 'b'), .fin = false});
  flow.client->send_frame({.opcode = 9, .payload = std::string(60, 'p')});  // a Ping does not count
  flow.client->send_frame({.opcode = 0, .payload = std::string(25, 'b'), .fin = false});
  flow.client->send_frame({.opcode = 0, .payload = std::string(last, 'b')});
  flow.pump();
  CHECK(flow.backend->close_code() == (last > 50 ? 1009 : -1));
  CHECK(flow.client->close_code() == (last > 50 ? 1009 : -1));
  CHECK(data_frames(*flow.backend) == (last > 50 ? 3 : 4));
}

TEST_CASE("limits: a throttled client's messages pass exactly as the bucket allows",
          "[flow][limits]") {
  Flow flow(messages(1, 5));
  flow.start();
  std::string sent;
  for (int i = 0; i < 12; ++i)
    sent += make({.opcode = 1, .payload = "m" + std::to_string(i), .masked = true});
  flow.client->send(sent);
  flow.pump();
  CHECK(data_frames(*flow.backend) == 5);
  CHECK_FALSE(flow.reads_client());
  flow.pass(50s);
  CHECK(data_frames(*flow.backend) == 5);
  flow.pass(10s);
  CHECK(data_frames(*flow.backend) == 6);
  flow.pass(120s);
  CHECK(data_frames(*flow.backend) == 8);
  flow.pass(60s);
  CHECK(data_frames(*flow.backend) == 9);
  flow.pass(300s);
  CHECK(flow.backend->received() == sent);
  flow.client->text("free again");
  flow.pump();
  CHECK(data_frames(*flow.backend) == 13);
  CHECK(flow.client->received() == "");
}

TEST_CASE("limits: fragments of a message cost one message, and pings none", "[flow][limits]") {
  Flow flow(messages(1, 2));
  flow.start();
  flow.client->send_frame({.opcode = 1, .payload = "a", .fin = false});
  for (int i = 0; i < 20; ++i) {
    flow.client->send_frame({.opcode = 0, .payload = "b", .fin = false});
    flow.client->send_frame({.opcode = 9, .payload = "p"});
  }
  flow.client->send_frame({.opcode = 0, .payload = "c"});
  flow.client->text("second");
  flow.client->send_frame({.opcode = 9, .payload = "before the third"});
  flow.client->text("third");
  flow.pump();
  CHECK(data_frames(*flow.backend) == 23);
  CHECK(flow.backend->frames().back() == Seen{9, "before the third"});
  flow.pass(61s);
  CHECK(data_frames(*flow.backend) == 24);
}

TEST_CASE("limits: a throttled stream cut anywhere arrives whole", "[flow][limits]") {
  std::string sent;
  for (int i = 0; i < 4; ++i) {
    sent += make({.opcode = 1, .payload = "message", .masked = true, .fin = false});
    sent += make({.opcode = 9, .payload = "p", .masked = true});
    sent += make({.opcode = 0, .payload = "", .masked = true});
  }
  for (std::size_t cut = 0; cut <= sent.size(); ++cut) {
    Flow flow(messages(60, 1));
    flow.start();
    flow.client->send(sent.substr(0, cut));
    flow.turn();
    flow.client->send(sent.substr(cut));
    flow.pump();
    for (int i = 0; i < 6; ++i) flow.pass(1s);
    CAPTURE(cut);
    REQUIRE(flow.backend->received() == sent);
  }
}

TEST_CASE("limits: bytes are charged after the fact and a debt is waited for", "[flow][limits]") {
  Flow flow(bytes(60, 100));
  flow.start();
  flow.client->text(std::string(100, 'x'));
  flow.pump();
  CHECK(flow.reads_client());
  flow.client->text(std::string(30, 'y'));
  flow.pump();
  CHECK(data_frames(*flow.backend) == 2);
  CHECK_FALSE(flow.reads_client());
  flow.client->text("z");
  flow.pump().pass(25s);
  CHECK(data_frames(*flow.backend) == 2);
  flow.pass(5s);
  CHECK(data_frames(*flow.backend) == 3);
}

TEST_CASE("limits: on_excess close lets through what the bucket held", "[flow][limits]") {
  conf::Route route = messages(1, 3);
  route.limits.on_excess = conf::Limits::OnExcess::close;
  Flow flow(route);
  flow.start();
  std::string sent;
  for (int i = 0; i < 5; ++i) sent += make({.opcode = 1, .payload = "m", .masked = true});
  // Cut within a frame that comes after the excess, and a Close behind: it has to be understood.
  const std::string close = make({.opcode = 8, .payload = close_payload(1008, ""), .masked = true});
  const std::string big = make({.opcode = 2, .payload = std::string(500, 'b'), .masked = true});
  flow.client->send(sent + big.substr(0, 100));
  flow.pump();
  CHECK(data_frames(*flow.backend) == 3);
  CHECK(flow.client->close_code() == 1008);
  CHECK(flow.backend->close_code() == 1001);
  flow.client->send(big.substr(100) + close);
  flow.backend->close_frame(1001);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("rate_exceeded")"));
}

TEST_CASE("limits: a backend's Close reaches a throttled client, and its answer the backend",
          "[flow][limits]") {
  Flow flow(messages(1, 1));
  flow.start();
  for (int i = 0; i < 4; ++i) flow.client->text("m");
  flow.pump();
  CHECK(data_frames(*flow.backend) == 1);
  flow.backend->close_frame(1000, "enough");
  flow.pump();
  CHECK(flow.client->close_code() == 1000);
  flow.client->close_frame(1000, "enough");
  flow.pump();
  CHECK(flow.backend->close_code() == 1000);
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("backend_closed")"));
}

TEST_CASE("limits: a drain of a throttled session understands what the client sends after it",
          "[flow][limits]") {
  Flow flow(messages(1, 1));
  flow.start();
  const std::string big = make({.opcode = 2, .payload = std::string(500, 'b'), .masked = true});
  flow.client->text("m");
  flow.client->text("held");
  flow.client->send(big.substr(0, 100));
  flow.pump();
  flow.tunnel->drain(flow.loop.now() + 30s);
  flow.pump();
  CHECK(flow.client->close_code() == 1001);
  CHECK(flow.backend->close_code() == -1);
  CHECK(data_frames(*flow.backend) == 1);
  flow.client->send(big.substr(100));
  flow.client->close_frame(1001);
  flow.pump();
  CHECK(data_frames(*flow.backend) == 1);  // the limit holds
  flow.pass(5s);  // what was begun is ended, since the time to answer is up
  CHECK(data_frames(*flow.backend) == 3);
  CHECK(flow.backend->close_code() == 1001);
  flow.backend->close_frame(1001);
  flow.pump();
  CHECK_FALSE(flow.alive());
}

TEST_CASE("limits: a Close behind throttled messages waits its turn", "[flow][limits]") {
  const bool tls = GENERATE(false, true);
  CAPTURE(tls);
  Flow flow(messages(60, 1), {.client_tls = tls});
  flow.start();
  std::string all;
  for (int i = 0; i < 4; ++i) all += make({.opcode = 1, .payload = "m", .masked = true});
  all += make({.opcode = 8, .payload = close_payload(1000, "done"), .masked = true});
  flow.client->send(all);
  // All of it in one read, its end as well.
  if (tls) flow.client->close_notify();
  flow.client->half_close();
  flow.pump();
  CHECK(data_frames(*flow.backend) == 1);
  for (int i = 0; i < 5; ++i) flow.pass(1s);
  CHECK(data_frames(*flow.backend) == 4);
  CHECK(flow.backend->close_code() == 1000);
  flow.backend->close_frame(1000);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("client_closed")"));
}

TEST_CASE("limits: messages behind which the client vanished are still delivered",
          "[flow][limits]") {
  const bool tls = GENERATE(false, true);
  CAPTURE(tls);
  Flow flow(messages(60, 1), {.client_tls = tls});
  flow.start();
  flow.client->send(
      make_stream({{.opcode = 1, .payload = "a"}, {.opcode = 1, .payload = "b"}}, true));
  if (tls) flow.client->close_notify();
  flow.client->half_close();
  flow.pump();
  for (int i = 0; i < 3; ++i) flow.pass(1s);
  CHECK(data_frames(*flow.backend) == 2);
  CHECK(flow.backend->close_code() == 1001);
  flow.pass(6s);
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("client_gone")"));
}

TEST_CASE("limits: throttled and blocked at once, nothing is lost", "[flow][limits]") {
  Flow flow(messages(60, 2), {.buffer = 4096});
  flow.start();
  flow.backend->stop_reading(true);
  std::string sent;
  for (int i = 0; i < 6; ++i)
    sent += make({.opcode = 2, .payload = std::string(9000, 'x'), .masked = true});
  flow.client->send(sent);
  flow.pump();
  for (int i = 0; i < 8; ++i) flow.pass(1s);
  CHECK(flow.held_for_backend() <= conf::bounds::kLaneMemory);
  flow.backend->stop_reading(false);
  flow.pump();
  for (int i = 0; i < 8; ++i) flow.pass(1s);
  CHECK(flow.backend->received() == sent);
}

}  // namespace fairlead::test
