// The fail loop: one script with everything in it, cut short by an end that vanishes after n moves,
// for every n.

#include <functional>

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

enum class Vanish { close, half_close, unread };

// Moves of a session with data, pings, fragments, a stopped reader, and a Close. `go_on` is asked
// before each.
void play(Flow& flow, const std::function<bool()>& go_on) {
  const std::string big(20'000, 'b');
  std::vector<std::function<void()>> moves{
      [&] { flow.client->text("hello"); },
      [&] { flow.turn(); },
      [&] { flow.backend->text("hello yourself"); },
      [&] { flow.turn(); },
      [&] {
        flow.client->send(make({.opcode = 2, .payload = big, .masked = true}).substr(0, 5000));
      },
      [&] { flow.turn(); },
      [&] { flow.backend->send_frame({.opcode = 1, .payload = "frag", .fin = false}); },
      [&] { flow.loop.advance_clock(21s); },
      [&] { flow.turn(); },
      [&] { flow.client->send(make({.opcode = 2, .payload = big, .masked = true}).substr(5000)); },
      [&] { flow.turn(); },
      [&] { flow.backend->pump(); },
      [&] { flow.turn(); },
      [&] { flow.backend->send_frame({.opcode = 0, .payload = big}); },
      [&] { flow.turn(); },
      [&] { flow.client->pump(); },
      [&] { flow.backend->pump(); },
      [&] { flow.turn(); },
      [&] { flow.pump(); },
      [&] { flow.client->close_frame(1000, "bye"); },
      [&] { flow.turn(); },
      [&] { flow.turn(); },
      [&] { flow.backend->close_frame(1000, "bye"); },
      [&] { flow.turn(); },
      [&] { flow.turn(); },
  };
  for (auto& move : moves) {
    if (!go_on()) return;
    move();
  }
}

void vanish(FarEnd& end, Vanish how) {
  if (!end.is_open()) return;
  if (how == Vanish::half_close) return end.half_close();
  if (how == Vanish::close) end.pump();  // reads first, so that it is no reset
  end.close();
}

}  // namespace

TEST_CASE("failure: an end that vanishes at any move leaves one line and nothing behind",
          "[flow][failure]") {
  const bool tls = GENERATE(false, true);
  const int who = GENERATE(0, 1, 2);  // client, backend, both
  const Vanish how = GENERATE(Vanish::close, Vanish::half_close, Vanish::unread);
  for (int fail_at = 0; fail_at <= 26; ++fail_at) {
    CAPTURE(tls, who, static_cast<int>(how), fail_at);
    Flow flow({}, {.client_tls = tls, .buffer = 4096});
    flow.start();
    int moves = 0;
    play(flow, [&] {
      if (moves++ == fail_at) {
        if (who != 1) vanish(*flow.client, how);
        if (who != 0) vanish(*flow.backend, how);
      }
      return true;
    });
    flow.pump();
    Parsed to_client = parse_frames(flow.client->received(), false);
    Parsed to_backend = parse_frames(flow.backend->received(), true);
    REQUIRE(to_client.wrong == "");
    REQUIRE(to_backend.wrong == "");
    flow.pass(6s);
    REQUIRE_FALSE(flow.alive());
    REQUIRE(flow.home.busy == 0);
    REQUIRE(flow.close_lines() == 1);
    REQUIRE(flow.lines().size() == 2);
    if (who != 0 && flow.backend->is_open()) REQUIRE(flow.backend->end() != FarEnd::End::open);
    if (who != 1 && flow.client->is_open()) REQUIRE(flow.client->end() != FarEnd::End::open);
  }
}

TEST_CASE("failure: a script stopped at any move is ended by force, with one line",
          "[flow][failure]") {
  for (int stop_at = 0; stop_at <= 26; ++stop_at) {
    CAPTURE(stop_at);
    Flow flow({}, {.buffer = 4096});
    flow.start();
    int moves = 0;
    play(flow, [&] { return moves++ != stop_at; });
    flow.links.for_each([](edge::Link& link) { link.force_end(); });
    flow.turn();
    REQUIRE_FALSE(flow.alive());
    REQUIRE(flow.close_lines() == 1);
  }
}

TEST_CASE("failure: a script stopped at any move is drained, legally", "[flow][failure]") {
  for (int stop_at = 0; stop_at <= 26; ++stop_at) {
    CAPTURE(stop_at);
    Flow flow({}, {.buffer = 4096});
    flow.start();
    int moves = 0;
    play(flow, [&] { return moves++ != stop_at; });
    flow.links.for_each([&](edge::Link& link) { link.drain(flow.loop.now() + 10s); });
    flow.pump();
    REQUIRE(parse_frames(flow.client->received(), false).wrong == "");
    REQUIRE(parse_frames(flow.backend->received(), true).wrong == "");
    flow.pass(10s).pump();
    REQUIRE(parse_frames(flow.client->received(), false).wrong == "");
    REQUIRE(parse_frames(flow.backend->received(), true).wrong == "");
    flow.pass(5s).pass(5s);  // answers that do not come
    REQUIRE_FALSE(flow.alive());
    REQUIRE(flow.close_lines() == 1);
  }
}

TEST_CASE("failure: a session whose worker goes down with it frees everything", "[flow][failure]") {
  Flow flow({}, {.client_tls = true, .buffer = 4096});
  flow.start();
  flow.client->stop_reading(true);
  flow.backend->text(std::string(50'000, 'x'));
  flow.pump();
  REQUIRE(flow.alive());
}

TEST_CASE("failure: without an access log a session ends all the same", "[flow][failure]") {
  Flow flow({}, {.log = false});
  flow.start();
  flow.client->close();
  flow.backend->close();
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.lines().empty());
}

TEST_CASE("failure: broken TLS records of the client end the session as gone",
          "[flow][failure][tls]") {
  Flow flow({}, {.client_tls = true});
  flow.start();
  flow.client->text("good");
  flow.pump();
  std::string garbage("\x17\x03\x03\x00\x20", 5);
  garbage.append(32, 'g');
  REQUIRE(send(flow.client->fd(), garbage.data(), garbage.size(), 0) == 37);
  flow.pump();
  CHECK(flow.backend->frames().size() == 2);
  CHECK(flow.backend->close_code() == 1001);
  flow.backend->close_frame(1001);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("client_gone")"));
}

}  // namespace fairlead::test
