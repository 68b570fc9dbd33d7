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

TEST_CASE("limits: no more bytes pass than the bucket holds, and headers are bytes",
          "[flow][limits]") {
  Flow flow(bytes(60, 100));
  flow.start();
  flow.client->text(std::string(94, 'x'));  // a frame of 100 bytes
  flow.pump();
  CHECK(data_frames(*flow.backend) == 1);
  CHECK_FALSE(flow.reads_client());
  flow.client->text(std::string(30, 'y'));
  flow.pump().walk(35s);
  CHECK(data_frames(*flow.backend) == 1);
  flow.walk(70s);
  CHECK(data_frames(*flow.backend) == 2);
}

TEST_CASE("limits: bytes are those of frames of every kind", "[flow][limits]") {
  const unsigned opcode = GENERATE(9U, 10U);
  conf::Route route = bytes(60, 2000);
  route.limits.control_frames.reset();
  Flow flow(route);
  flow.start();
  for (int i = 0; i < 500; ++i) flow.client->send_frame({.opcode = opcode, .payload = "ping"});
  flow.pump();
  CHECK(flow.backend->received().size() == 2000);  // 200 of 10 bytes
  CHECK_FALSE(flow.reads_client());
}

TEST_CASE("limits: a byte rate is kept at every moment, not on the average", "[flow][limits]") {
  const bool tls = GENERATE(false, true);
  CAPTURE(tls);
  constexpr std::size_t kRate = 20 * 1024;
  constexpr std::size_t kRecord = 16 * 1024;
  Flow flow(bytes(kRate * 60, kRate), {.client_tls = tls});
  flow.start();
  flow.client->send(make({.opcode = 2, .payload = std::string(400'000, 'x'), .masked = true}));
  flow.pump();
  CHECK(flow.backend->received().size() <= kRate + (tls ? kRecord : 0));
  std::size_t before = flow.backend->received().size();
  for (int i = 0; i < 40; ++i) {
    flow.pass(250ms);
    const std::size_t now = flow.backend->received().size();
    // A quarter of a second's worth, a step of it, and what a record brings.
    CHECK(now - before <= kRate / 4 + kRate / 8 + 256 + (tls ? kRecord : 0));
    if (!tls) CHECK(now > before);
    before = now;
  }
  CHECK(before <= 12 * kRate + (tls ? kRecord : 0));
  CHECK(before >= 10 * kRate);
}

TEST_CASE("limits: control frames and empty continuations of a client are throttled by default",
          "[flow][limits]") {
  const unsigned opcode = GENERATE(9U, 10U, 0U);
  CAPTURE(opcode);
  conf::Route route;
  route.websocket.ping_interval.reset();
  if (GENERATE(false, true)) route.limits.on_excess = conf::Limits::OnExcess::close;
  Flow flow(route);
  flow.start();
  std::string sent = make({.opcode = 1, .payload = "begun", .masked = true, .fin = false});
  for (int i = 0; i < 1000; ++i)
    sent += make({.opcode = opcode, .masked = true, .fin = opcode != 0});
  sent += make({.opcode = 0, .payload = "over", .masked = true});
  flow.client->send(sent);
  flow.pump();
  CHECK(flow.backend->frames().size() == 101);
  CHECK_FALSE(flow.reads_client());
  flow.walk(2s, 100ms);
  CHECK(flow.backend->frames().size() >= 290);
  CHECK(flow.backend->frames().size() <= 331);
  flow.walk(8s, 100ms);
  CHECK(flow.backend->received() == sent);
  CHECK(flow.reads_client());
  CHECK(flow.home.counters
            ->limits[static_cast<std::size_t>(observe::LimitHit::control_frames_throttled)]
            .value() > 0);
}

TEST_CASE("limits: messages are not held back for the control frames between them",
          "[flow][limits]") {
  conf::Route route;
  route.websocket.ping_interval.reset();
  Flow flow(route);
  flow.start();
  for (int i = 0; i < 90; ++i) {
    flow.client->send_frame({.opcode = 9});
    flow.client->text("m");
    flow.client->send_frame({.opcode = 1, .payload = "a", .fin = false});
    flow.client->send_frame({.opcode = 0});  // ends its message: not one of those that are limited
  }
  flow.pump();
  CHECK(flow.backend->frames().size() == 360);
}

TEST_CASE("limits: a throttled client that is reset is noticed", "[flow][limits]") {
  Flow flow(bytes(60, 1000), {.tcp = true});
  flow.start();
  flow.client->send(make({.opcode = 2, .payload = std::string(100'000, 'x'), .masked = true}));
  flow.pump();
  REQUIRE_FALSE(flow.reads_client());
  flow.client->reset();
  flow.pump().walk(4s);
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("client_gone")"));
}

TEST_CASE("limits: a throttled client is pinged, and noticed when it has closed",
          "[flow][limits]") {
  conf::Route route = messages(1, 1);
  route.websocket.ping_interval = 20s;
  route.websocket.ping_backend = false;
  Flow flow(route, {.tcp = true});
  flow.start();
  for (int i = 0; i < 200; ++i) flow.client->text("m");
  flow.pump();
  REQUIRE_FALSE(flow.reads_client());
  flow.walk(70s);
  CHECK(flow.alive());
  const auto seen = flow.client->frames();
  CHECK(seen.size() == 3);  // at 20, 40 and 60 s
  for (const Seen& frame : seen) CHECK(frame.opcode == 9);
  flow.client->close();  // with nothing unread: no reset yet
  flow.pump().walk(25s);
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("client_gone")"));
}

TEST_CASE("limits: a client that is reset while its backend takes nothing is noticed",
          "[flow][limits]") {
  conf::Route route;
  route.websocket.ping_interval.reset();
  route.timeouts.write_stall = 1h;
  route.websocket.max_message.reset();
  Flow flow(route, {.tcp = true});
  flow.start();
  flow.backend->stop_reading(true);
  flow.client->send(make({.opcode = 2, .payload = std::string(30'000'000, 'x'), .masked = true}));
  for (int i = 0; i < 1000 && flow.reads_client(); ++i) flow.pump();
  REQUIRE_FALSE(flow.reads_client());
  flow.client->reset();
  flow.pump().walk(4s);
  flow.backend->close();
  flow.walk(6s);
  CHECK(flow.logged("reason", R"("client_gone")"));
}

TEST_CASE("limits: idle_timeout does not end a session that the throttle holds back",
          "[flow][limits]") {
  const bool held = GENERATE(true, false);  // read already, or still in the socket
  CAPTURE(held);
  conf::Route route = held ? messages(1, 1) : bytes(60, 100);
  route.websocket.idle_timeout = 10s;
  Flow flow(route);
  flow.start();
  flow.client->text(std::string(94, 'a'));
  flow.client->text(std::string(54, 'b'));
  flow.pump();
  REQUIRE_FALSE(flow.reads_client());
  flow.walk(50s);
  CHECK(flow.client->close_code() == -1);
  flow.walk(60s);
  CHECK(data_frames(*flow.backend) == 2);
  flow.walk(12s);
  CHECK(flow.client->close_code() == 1001);
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
  CHECK(data_frames(*flow.backend) == 2);  // it is throttled no more
  flow.client->send(big.substr(100));
  flow.client->close_frame(1001);
  flow.pump();
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
