// Pings of ours between the frames of others, their Pongs, and peers that fall silent.

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

conf::Route pinging(bool backend = false) {
  conf::Route route;
  route.websocket.ping_interval = 20s;
  route.websocket.ping_timeout = 10s;
  route.websocket.ping_backend = backend;
  return route;
}

std::vector<Seen> pings(const FarEnd& end) {
  std::vector<Seen> found;
  for (const Seen& seen : end.frames()) {
    if (seen.opcode == 9) found.push_back(seen);
  }
  return found;
}

std::string last_ping(const FarEnd& end) {
  std::vector<Seen> all = pings(end);
  REQUIRE_FALSE(all.empty());
  return all.back().payload;
}

}  // namespace

TEST_CASE("keepalive: a silent client is pinged after the interval and not before",
          "[flow][keepalive]") {
  Flow flow(pinging());
  flow.start();
  flow.pass(19s);
  CHECK(flow.client->received() == "");
  flow.pass(1s);
  REQUIRE(pings(*flow.client).size() == 1);
  CHECK(pings(*flow.client)[0].payload.size() == 8);
  CHECK(flow.backend->received() == "");
}

TEST_CASE("keepalive: any byte of a peer puts its ping off", "[flow][keepalive]") {
  Flow flow(pinging());
  flow.start();
  for (int i = 0; i < 10; ++i) {
    flow.pass(15s);
    flow.client->send(make({.opcode = 9, .masked = true})
                          .substr(0, i % 2 == 0 ? 3 : 6)
                          .substr(i % 2 == 0 ? 0 : 3));
    flow.pump();
  }
  CHECK(pings(*flow.client).empty());
}

TEST_CASE("keepalive: our pong is swallowed and timed, and the session goes on",
          "[flow][keepalive]") {
  Flow flow(pinging());
  flow.start().pass(20s);
  const std::string nonce = last_ping(*flow.client);
  flow.loop.advance_clock(250ms);
  flow.client->send_frame({.opcode = 10, .payload = nonce});
  flow.pump();
  CHECK(flow.backend->received() == "");
  // The same Pong again is no answer to the server either, and is not timed.
  flow.loop.advance_clock(3s);
  flow.client->send_frame({.opcode = 10, .payload = nonce});
  flow.pump();
  CHECK(flow.backend->received() == "");

  flow.client->close_frame(1000);
  flow.backend->close_frame(1000);
  flow.pump();
  std::string line = flow.close_line();
  std::size_t at = line.find("\"rtt_ms\":");
  REQUIRE(at != std::string::npos);
  CHECK(std::stod(line.substr(at + 9)) >= 250);
  CHECK(std::stod(line.substr(at + 9)) < 2000);
  CHECK(flow.logged("pings", "1"));
}

TEST_CASE("keepalive: a Pong that comes after the next Ping of ours goes no further",
          "[flow][keepalive]") {
  const bool client = GENERATE(true, false);
  Flow flow(pinging(true));
  flow.start();
  FarEnd& from = client ? *flow.client : *flow.backend;
  FarEnd& to = client ? *flow.backend : *flow.client;
  for (int i = 0; i < 3; ++i) {
    flow.pass(20s);
    from.text("alive, but my Pongs are slow");
    to.text("likewise");
    flow.pump();
  }
  const std::vector<Seen> sent = pings(from);
  REQUIRE(sent.size() == 3);
  const std::size_t before = to.frames().size();
  for (const Seen& ping : sent) {
    from.send_frame({.opcode = 10, .payload = ping.payload});
    flow.pump();
  }
  CHECK(to.frames().size() == before);
  from.send_frame({.opcode = 10, .payload = "not ours"});
  flow.pump();
  CHECK(to.frames().size() == before + 1);
}

TEST_CASE("keepalive: pongs that are not ours pass", "[flow][keepalive]") {
  Flow flow(pinging());
  flow.start();
  flow.client->send_frame({.opcode = 10, .payload = "before any ping"});
  flow.client->send_frame({.opcode = 10, .payload = std::string(8, '\0')});
  flow.pump().pass(20s);
  std::string wrong = last_ping(*flow.client);
  wrong[7] = static_cast<char>(wrong[7] ^ 1);
  flow.client->send_frame({.opcode = 10, .payload = wrong});
  flow.client->send_frame({.opcode = 10, .payload = last_ping(*flow.client) + "x"});
  flow.client->send_frame({.opcode = 10, .payload = last_ping(*flow.client).substr(0, 7)});
  flow.client->send_frame({.opcode = 10});
  flow.pump();
  CHECK(flow.backend->frames().size() == 6);
}

TEST_CASE("keepalive: our pong cut at every byte is swallowed whole", "[flow][keepalive]") {
  const bool client = GENERATE(true, false);
  for (std::size_t cut = 1; cut < (client ? 14U : 10U); ++cut) {
    Flow flow(pinging(true));
    flow.start().pass(20s);
    FarEnd& from = client ? *flow.client : *flow.backend;
    FarEnd& to = client ? *flow.backend : *flow.client;
    const std::string pong = make({.opcode = 10, .payload = last_ping(from), .masked = client});
    const std::string before = make({.opcode = 1, .payload = "before", .masked = client});
    const std::string after = make({.opcode = 1, .payload = "after", .masked = client});
    to.take();
    from.send(before + pong.substr(0, cut));
    flow.turn();
    from.send(pong.substr(cut) + after);
    flow.pump();
    CAPTURE(cut, client);
    REQUIRE(to.received() == before + after);
  }
}

TEST_CASE("keepalive: our pong in the middle of a piece leaves no hole", "[flow][keepalive]") {
  Flow flow(pinging());
  flow.start().pass(20s);
  const std::string pong = make({.opcode = 10, .payload = last_ping(*flow.client), .masked = true});
  const std::string before =
      make_stream({{.opcode = 1, .payload = "one"}, {.opcode = 9, .payload = "p"}}, true);
  const std::string fragment = make({.opcode = 2, .payload = "fr", .masked = true, .fin = false});
  const std::string after =
      make_stream({{.opcode = 0, .payload = "ag"}, {.opcode = 10, .payload = "q"}}, true);
  flow.client->send(before + fragment + pong + after);
  flow.pump();
  CHECK(flow.backend->received() == before + fragment + after);
}

TEST_CASE("keepalive: a ping of ours may stand between two fragments", "[flow][keepalive]") {
  Flow flow(pinging());
  flow.start();
  flow.backend->send_frame({.opcode = 1, .payload = "frag", .fin = false});
  flow.pump().pass(20s);
  flow.backend->send_frame({.opcode = 0, .payload = "ment"});
  flow.pump();
  std::vector<Seen> got = flow.client->frames();
  REQUIRE(got.size() == 3);
  CHECK(got[0] == Seen{1, "frag", false});
  CHECK(got[1].opcode == 9);
  CHECK(got[2] == Seen{0, "ment"});
}

TEST_CASE("keepalive: a frame half sent holds the ping back until its end", "[flow][keepalive]") {
  const std::string frame = make({.opcode = 2, .payload = std::string(100, 'f')});
  for (std::size_t cut = 1; cut < frame.size(); ++cut) {
    Flow flow(pinging());
    flow.start();
    flow.backend->send(frame.substr(0, cut));
    flow.pump().pass(20s);
    CAPTURE(cut);
    bool header_only_in_tail = cut < 2;
    REQUIRE(pings(*flow.client).size() == (header_only_in_tail ? 1U : 0U));
    flow.backend->send(frame.substr(cut) + make({.opcode = 1, .payload = "next"}));
    flow.pump();
    std::vector<Seen> got = flow.client->frames();
    REQUIRE(got.size() == 3);
    REQUIRE(pings(*flow.client).size() == 1);
  }
}

TEST_CASE("keepalive: a ping waits until a blocked client has taken what it was sent",
          "[flow][keepalive]") {
  conf::Route route = pinging();
  route.timeouts.write_stall = 1h;
  Flow flow(route, {.buffer = 4096});
  flow.start();
  flow.client->stop_reading(true);
  flow.backend->send_frame({.opcode = 2, .payload = std::string(60'000, 'b')});
  flow.pump().pass(21s).pass(1s);
  REQUIRE(flow.held_for_client() > 0);
  flow.client->stop_reading(false);
  flow.pump();
  std::vector<Seen> got = flow.client->frames();
  REQUIRE(got.size() == 2);
  CHECK(got[0].payload.size() == 60'000);
  CHECK(got[1].opcode == 9);
}

TEST_CASE("keepalive: the ping to a backend is masked and its pong swallowed",
          "[flow][keepalive]") {
  Flow flow(pinging(true));
  flow.start();
  flow.pass(18s);
  flow.client->text("alive");
  flow.pump().pass(2s);
  CHECK(flow.client->received() == "");
  const std::string nonce = last_ping(*flow.backend);  // frames() REQUIREs the mask
  flow.backend->send_frame({.opcode = 10, .payload = nonce});
  flow.pump();
  CHECK(flow.client->received() == "");
  flow.pass(19s);
  CHECK(flow.alive());
}

TEST_CASE("keepalive: off means never", "[flow][keepalive]") {
  conf::Route route;
  route.websocket.ping_interval.reset();
  Flow flow(route);
  flow.start();
  for (int day = 0; day < 5; ++day) flow.pass(24h);
  CHECK(flow.alive());
  CHECK(flow.client->received() == "");
  CHECK(flow.backend->received() == "");
}

TEST_CASE("keepalive: a dead client is dropped and the backend told 1001", "[flow][keepalive]") {
  Flow flow(pinging());
  flow.start().pass(20s).pass(9s);
  CHECK(flow.backend->close_code() == -1);
  flow.pass(1s);
  CHECK(flow.backend->close_code() == 1001);
  CHECK(flow.client->close_code() == -1);
  CHECK(flow.client->end() == FarEnd::End::eof);
  flow.backend->close_frame(1001);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("client_dead")"));
  CHECK(flow.logged("closed_by", R"("client")"));
}

TEST_CASE("keepalive: a dead backend is dropped and the client told 1011", "[flow][keepalive]") {
  Flow flow(pinging(true));
  flow.start();
  for (int i = 0; i < 3; ++i) {
    flow.client->text("here");
    flow.pump().pass(10s);
  }
  CHECK(flow.client->close_code() == 1011);
  CHECK(flow.backend->close_code() == -1);
  CHECK(flow.backend->end() == FarEnd::End::eof);
  flow.client->close_frame(1011);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("backend_dead")"));
  CHECK(flow.logged("closed_by", R"("backend")"));
}

TEST_CASE("keepalive: any frame instead of the pong is a sign of life", "[flow][keepalive]") {
  Flow flow(pinging());
  flow.start();
  for (int i = 0; i < 5; ++i) {
    flow.pass(20s).pass(9s);
    flow.client->text("no pong, but here");
    flow.pump();
  }
  CHECK(flow.alive());
  CHECK(flow.client->close_code() == -1);
  CHECK(pings(*flow.client).size() == 5);
}

TEST_CASE("keepalive: two ends that fall silent within their frames are not waited for",
          "[flow][keepalive]") {
  const bool ping_backend = GENERATE(true, false);
  CAPTURE(ping_backend);
  Flow flow(pinging(ping_backend));
  flow.start();
  flow.client->send(
      make({.opcode = 2, .payload = std::string(100, 'c'), .masked = true}).substr(0, 50));
  flow.backend->send(make({.opcode = 2, .payload = std::string(100, 'b')}).substr(0, 50));
  flow.pump();
  for (int i = 0; i < 10; ++i) flow.pass(10s);
  CHECK_FALSE(flow.alive());
  CHECK(pings(*flow.client).empty());
  CHECK(pings(*flow.backend).empty());
  CHECK(flow.close_lines() == 1);
}

TEST_CASE("keepalive: a frame that goes on slowly keeps its session, pings or not",
          "[flow][keepalive]") {
  Flow flow(pinging(true));
  flow.start();
  const std::string up = make({.opcode = 2, .payload = std::string(100, 'c'), .masked = true});
  const std::string down = make({.opcode = 2, .payload = std::string(100, 'b')});
  for (std::size_t i = 0; i < up.size(); ++i) {
    flow.client->send(up.substr(i, 1));
    if (i < down.size()) flow.backend->send(down.substr(i, 1));
    flow.pass(15s);
  }
  CHECK(flow.alive());
  CHECK(flow.backend->received().substr(0, up.size()) == up);
  CHECK(flow.client->received().substr(0, down.size()) == down);
}

TEST_CASE("keepalive: a client that we do not read is not called dead", "[flow][keepalive]") {
  conf::Route route = pinging();
  route.timeouts.write_stall = 1h;
  Flow flow(route, {.buffer = 4096});
  flow.start();
  flow.backend->stop_reading(true);
  flow.client->send_frame({.opcode = 2, .payload = std::string(200'000, 'c')});
  flow.pump();
  REQUIRE_FALSE(flow.reads_client());
  for (int i = 0; i < 10; ++i) flow.pass(20s);
  CHECK(flow.client->close_code() == -1);
  CHECK(flow.client->end() == FarEnd::End::open);
  flow.backend->stop_reading(false);
  flow.pump().pass(15s);
  CHECK(flow.client->end() == FarEnd::End::open);
  CHECK(flow.backend->frames().size() == 1);
}

}  // namespace fairlead::test
