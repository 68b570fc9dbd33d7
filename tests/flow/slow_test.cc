// Peers on slow links: who takes bytes all the time is alive, however much waits in the kernel.

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

conf::Route slow_route() {
  conf::Route route;
  route.websocket.ping_interval = 20s;
  route.websocket.ping_timeout = 10s;
  route.websocket.ping_backend = false;
  return route;
}

// A unix socket counts a piece as taken when it was read to its end: so pieces are small.
constexpr std::size_t kPiece = 1000;

// The backend pushes, a frame at a time; all of it stands in the kernel.
std::size_t push(Flow& flow, int frames) {
  flow.client->stop_reading(true);
  for (int i = 0; i < frames; ++i) {
    flow.backend->text(std::string(kPiece - 4, 'p'));
    flow.pump();
  }
  REQUIRE(flow.held_for_client() == 0);
  return static_cast<std::size_t>(frames) * kPiece;
}

// The client takes `n` bytes, at most. Returns them.
std::string take(Flow& flow, std::size_t n) {
  std::string some(n, '\0');
  const ssize_t got = recv(flow.client->fd(), some.data(), some.size(), 0);
  some.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return some;
}

bool has_close(const std::string& received) {
  const Parsed parsed = parse_frames(received, false);
  return !parsed.frames.empty() && parsed.frames.back().opcode == 8;
}

}  // namespace

TEST_CASE("slow: a silent client that takes a push all the time is not called dead",
          "[flow][slow]") {
  Flow flow(slow_route());
  flow.start();
  flow.walk(15s);
  push(flow, 80);
  // Its Ping comes at 20 s, behind 75 pieces.
  std::string received;
  for (int i = 0; i < 60; ++i) {
    flow.pass(1s);
    received += take(flow, kPiece);
    REQUIRE(flow.backend->close_code() == -1);
  }
  // Now it has the Ping, and its time runs.
  received += take(flow, 200'000);
  std::vector<Seen> got = parse_frames(received, false).frames;
  REQUIRE(got.back().opcode == 9);
  flow.walk(8s);
  REQUIRE(flow.backend->close_code() == -1);
  flow.client->send_frame({.opcode = 10, .payload = got.back().payload});
  flow.pump().walk(15s);
  CHECK(flow.backend->close_code() == -1);
}

TEST_CASE("slow: a client that has its Ping at last and does not answer is dead", "[flow][slow]") {
  Flow flow(slow_route());
  flow.start();
  flow.walk(15s);
  push(flow, 20);
  for (int i = 0; i < 15; ++i) {
    flow.pass(1s);
    take(flow, kPiece);
  }
  take(flow, 200'000);
  flow.walk(9s);
  CHECK(flow.backend->close_code() == -1);
  flow.walk(3s);
  CHECK(flow.backend->close_code() == 1001);
}

TEST_CASE("slow: a client that takes nothing of what stands before its Ping is dead",
          "[flow][slow]") {
  Flow flow(slow_route());
  flow.start();
  flow.walk(15s);
  push(flow, 20);
  flow.walk(17s);
  CHECK(flow.backend->close_code() == 1001);
  flow.backend->close_frame(1001);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("client_dead")"));
}

TEST_CASE("slow: write_stall does not end who takes bytes, though none leave our queue",
          "[flow][slow]") {
  conf::Route route;
  route.websocket.ping_interval.reset();
  route.timeouts.write_stall = 10s;
  const bool client = GENERATE(true, false);
  CAPTURE(client);
  Flow flow(route, {.buffer = 65'536});
  flow.start();
  FarEnd& from = client ? *flow.backend : *flow.client;
  FarEnd& to = client ? *flow.client : *flow.backend;
  to.stop_reading(true);
  // Small pieces into the kernel, then one that is held back until much of it is free again.
  const auto held = [&] { return client ? flow.held_for_client() : flow.held_for_backend(); };
  while (held() == 0) {
    from.send_frame({.opcode = 2, .payload = "piece"});
    flow.pump();
  }
  from.send_frame({.opcode = 2, .payload = std::string(30'000, 'x')});
  flow.pump();
  const std::size_t at_first = held();
  for (int i = 0; i < 30; ++i) {
    flow.pass(1s);
    char some[11];
    recv(to.fd(), some, sizeof some, 0);
    REQUIRE(held() == at_first);
  }
  CHECK(flow.alive());
  CHECK(flow.close_lines() == 0);
  flow.walk(12s);
  CHECK((client ? *flow.backend : *flow.client).close_code() == (client ? 1001 : 1011));
}

TEST_CASE("slow: the last piece and the Close reach a client that still takes bytes",
          "[flow][slow]") {
  const bool answers = GENERATE(true, false);
  CAPTURE(answers);
  Flow flow(slow_route());
  flow.start();
  const std::size_t pushed = push(flow, 60);
  flow.backend->close_frame(1000, "that was all");
  flow.pump();
  std::string received;
  for (int i = 0; i < 60; ++i) {
    flow.pass(1s);
    REQUIRE(flow.alive());
    received += take(flow, kPiece);
  }
  received += take(flow, 1000);
  CHECK(received.size() > pushed);
  CHECK(has_close(received));
  // The five seconds begin when it has it.
  flow.walk(4s);
  REQUIRE(flow.alive());
  if (answers) {
    flow.client->close_frame(1000);
    flow.pump();
    CHECK(flow.backend->close_code() == 1000);
  } else {
    flow.walk(3s);
  }
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("backend_closed")"));
  CHECK(flow.logged("bytes_out", std::to_string(60 * (kPiece - 4))));
}

TEST_CASE("slow: an end waits for a client that takes nothing no longer than write_stall",
          "[flow][slow]") {
  conf::Route route = slow_route();
  route.timeouts.write_stall = 20s;
  Flow flow(route);
  flow.start();
  push(flow, 60);
  flow.backend->close_frame(1000);
  flow.pump().walk(19s);
  CHECK(flow.alive());
  flow.walk(7s);
  CHECK_FALSE(flow.alive());
  CHECK(flow.close_lines() == 1);
}

TEST_CASE("slow: bytes_out does not count what the client never got", "[flow][slow]") {
  Flow flow(slow_route(), {.tcp = true, .buffer = 16'384});
  flow.start();
  flow.client->stop_reading(true);
  flow.backend->send_frame({.opcode = 2, .payload = std::string(1'000'000, 'x')});
  flow.pump();
  REQUIRE(flow.held_for_client() > 0);
  flow.client->reset();
  flow.pump();
  flow.backend->close();
  flow.pump().walk(6s);
  const std::string line = flow.close_line();
  const std::size_t at = line.find("\"bytes_out\":");
  REQUIRE(at != std::string::npos);
  const double out = std::stod(line.substr(at + 12));
  // The kernels hold a few buffers' worth; our queue held the rest of a read.
  CHECK(out < 70'000);
}

TEST_CASE("slow: a Pong that waits in the socket is read before its sender is judged",
          "[flow][slow]") {
  Flow flow(slow_route());
  flow.start();
  flow.walk(20s);
  std::vector<Seen> got = flow.client->frames();
  REQUIRE(got.back().opcode == 9);
  // The process did not run for long, and its timers come first.
  flow.client->send_frame({.opcode = 10, .payload = got.back().payload});
  flow.loop.advance_clock(1h);
  flow.loop.timers().advance(flow.loop.now());
  flow.pump();
  CHECK(flow.backend->close_code() == -1);
  flow.walk(15s);
  CHECK(flow.backend->close_code() == -1);
}

TEST_CASE("slow: idle_timeout does not end a session whose message is on its way", "[flow][slow]") {
  conf::Route route = slow_route();
  route.websocket.ping_interval.reset();
  route.websocket.idle_timeout = 10s;
  Flow flow(route, {.buffer = 4096});
  flow.start();
  flow.client->stop_reading(true);
  flow.backend->send_frame({.opcode = 2, .payload = std::string(60'000, 'x')});
  flow.pump();
  REQUIRE(flow.held_for_client() > 0);
  flow.walk(25s);
  CHECK(flow.backend->close_code() == -1);
  flow.client->stop_reading(false);
  flow.pump().walk(12s);
  CHECK(flow.client->close_code() == 1001);
  flow.client->close_frame(1001);
  flow.pump();
  CHECK(flow.backend->close_code() == 1001);
}

}  // namespace fairlead::test
