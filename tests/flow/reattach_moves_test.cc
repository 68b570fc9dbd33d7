// on_backend_loss: a server that has to be left, not one that was lost.

#include "tests/flow/reattach_rig.h"

namespace fairlead::test {

using namespace reattach;

namespace {

edge::Leave move_now(Session& session, std::shared_ptr<edge::LeaveCount> count = nullptr) {
  const auto now = session.flow.loop.now();
  edge::Leave leave;
  leave.job = 7;
  leave.at = now;
  leave.until = now + 20s;
  leave.count = std::move(count);
  leave.leaves_server = true;
  return leave;
}

edge::Tunnel& tunnel_of(Session& session) {
  edge::Tunnel* tunnel = nullptr;
  session.flow.links.for_each([&](edge::Link& link) { tunnel = link.session(); });
  REQUIRE(tunnel != nullptr);
  return *tunnel;
}

}  // namespace

TEST_CASE("reattach: a drained server is left without the client noticing", "[flow][reattach]") {
  Session session;
  const auto count = std::make_shared<edge::LeaveCount>();
  session.client().send_frame({.opcode = 1, .payload = "a ", .fin = false});
  session.pump();
  CHECK(tunnel_of(session).leave(move_now(session, count)));
  session.pump();
  CHECK(session.first().close_code() == -1);  // the message comes first
  session.client().send_frame({.opcode = 0, .payload = "question"});
  session.pump();
  CHECK(session.first().close_code() == 1001);
  CHECK(count->told == 1);
  CHECK(count->left == 0);
  CHECK(session.dialled() == 1);  // the old server may still have something to say
  session.client().text("held");
  session.first().text("an answer");
  session.pump();
  CHECK(texts(session.client()) == "an answer|");
  SECTION("it answers the Close") {
    session.first().close_frame(1001);
  }
  SECTION("it ends TCP") {
    session.first().close();
  }
  SECTION("it does neither") {
    session.flow.pass(5s);
  }
  session.pump();
  REQUIRE(session.dialled() == 2);
  session.attach();
  CHECK(texts(session.last()) == "held|");
  if (session.first().is_open()) CHECK(texts(session.first()) == "a question|");
  session.last().text("more");
  session.pump();
  CHECK(texts(session.client()) == "an answer|more|");
  end_well(session);
}

TEST_CASE("reattach: the old server's Pong to a Ping of ours never reaches the client",
          "[flow][reattach]") {
  Session session;
  session.flow.pass(21s);
  std::string ping;
  for (const Seen& seen : session.first().frames()) {
    if (seen.opcode == 9) ping = seen.payload;
  }
  REQUIRE_FALSE(ping.empty());
  tunnel_of(session).leave(move_now(session));
  session.pump();
  REQUIRE(session.first().close_code() == 1001);
  session.client().take();
  session.first().send_frame({.opcode = 10, .payload = ping});
  session.first().send_frame({.opcode = 10, .payload = "the app's"});
  session.first().close_frame(1001);
  session.pump();
  CHECK(session.client().frames() == std::vector<Seen>{{10, "the app's"}});
}

TEST_CASE("reattach: a Close of the old server's own behind our 1001 ends the session",
          "[flow][reattach]") {
  const bool held = GENERATE(false, true);
  const bool tapped = GENERATE(false, true);
  Session session;
  auto link = std::make_shared<edge::TapLink>();
  link->deliver = [](edge::TapBatch) {};
  if (tapped) tunnel_of(session).watch(std::make_unique<edge::SessionTap>(session.flow.loop, link));
  tunnel_of(session).leave(move_now(session));
  session.pump();
  REQUIRE(session.first().close_code() == 1001);
  if (held) session.client().text("what nobody will hear any more");
  session.pump();
  session.first().text("one thing more");
  session.first().close_frame(4003, "logged out");
  session.pump();
  CHECK(texts(session.client()) == "one thing more|");
  CHECK(session.client().close_code() == 4003);
  CHECK(session.client().close_reason() == "logged out");
  CHECK(session.dialled() == 1);
  CHECK(session.first().end() == FarEnd::End::eof);
  session.client().close_frame(4003);
  session.client().half_close();
  session.pump();
  CHECK_FALSE(session.flow.alive());
  CHECK(session.logged("reason", R"("backend_closed")"));
  CHECK(session.logged("close_code", "4003"));
  CHECK(session.logged("close_reason", R"("logged out")"));
  CHECK(session.logged("closed_by", R"("backend")"));
}

TEST_CASE("reattach: what the old server answers our 1001 with is no Close of its own",
          "[flow][reattach]") {
  const unsigned code = GENERATE(0U, 1000U, 1001U);
  Session session;
  tunnel_of(session).leave(move_now(session));
  session.pump();
  session.first().close_frame(code, code == 0 ? "" : "moved: connect again");
  session.pump();
  REQUIRE(session.dialled() == 2);
  session.attach();
  CHECK(session.client().close_code() == -1);
  end_well(session);
}

TEST_CASE("reattach: a graceful end of a session that is held looks for a server for what was said",
          "[flow][reattach]") {
  const bool parting = GENERATE(false, true);
  const bool found = GENERATE(false, true);
  Session session;
  if (parting) {
    tunnel_of(session).leave(move_now(session));
  } else {
    session.first().close();
  }
  session.pump();
  session.client().text("said while there is no server");
  session.pump();
  tunnel_of(session).close(rules::Cause::closed_by_admin);
  session.pump();
  CHECK(session.client().close_code() == 1001);
  session.client().text("said before the Close was read");
  session.client().close_frame(1001);
  session.pump();
  if (parting) session.first().close_frame(1001);
  session.pump();
  REQUIRE(session.dialled() == 2);
  if (found) {
    session.attach();
    CHECK(texts(session.last()) == "said while there is no server|said before the Close was read|");
    CHECK(session.last().close_code() == 1001);
    session.last().close_frame(1001);
    session.last().half_close();
  } else {
    session.flow.pass(5s);
    session.flow.pass(5s);
  }
  session.client().half_close();
  session.pump();
  CHECK_FALSE(session.flow.alive());
  CHECK(session.logged("reason", R"("admin_closed")"));
}

TEST_CASE("reattach: a graceful end of a session that is held and says nothing is over at once",
          "[flow][reattach]") {
  Session session;
  session.first().close();
  session.pump();
  REQUIRE(session.dialled() == 2);
  tunnel_of(session).close(rules::Cause::closed_by_admin);
  session.pump();
  session.client().close_frame(1001);
  session.client().half_close();
  session.pump();
  CHECK_FALSE(session.flow.alive());
  CHECK(session.last().end() != FarEnd::End::open);
}

TEST_CASE("reattach: the old server's last words wait for a slow client", "[flow][reattach]") {
  Session session(route(), "", "", 4096);
  session.client().stop_reading(true);
  tunnel_of(session).leave(move_now(session));
  session.pump();
  REQUIRE(session.first().close_code() == 1001);
  const std::string big(600'000, 'x');
  session.first().send_frame({.opcode = 2, .payload = big});
  session.first().close_frame(1001);
  session.pump();
  CHECK(session.first().unsent() > 200'000);
  session.client().stop_reading(false);
  session.pump();
  REQUIRE(session.dialled() == 2);
  session.attach();
  session.last().text("next");
  session.pump();
  CHECK(texts(session.client()) == big + "|next|");
}

TEST_CASE("reattach: a client's last message and Close in the middle of a move",
          "[flow][reattach]") {
  Session session;
  tunnel_of(session).leave(move_now(session));
  session.pump();
  session.client().text("the last");
  session.client().close_frame(1000);
  session.pump();
  session.first().close_frame(1001);
  session.pump();
  REQUIRE(session.dialled() == 2);
  session.attach();
  CHECK(texts(session.last()) == "the last|");
  session.last().close_frame(1000);
  session.last().half_close();
  session.client().half_close();
  session.pump();
  CHECK(session.client().close_code() == 1000);
  CHECK_FALSE(session.flow.alive());
}

TEST_CASE("reattach: a drain that finds no other server, and a message that does not end",
          "[flow][reattach]") {
  Session session;
  tunnel_of(session).leave(move_now(session));
  session.pump();
  SECTION("nobody takes it") {
    session.first().close_frame(1001);
    session.listening.clear();
    for (int i = 0; i < 11; ++i) session.flow.pass(1s);
  }
  SECTION("half a message of the old server behind our Close") {
    session.first().send_frame({.opcode = 1, .payload = "half", .fin = false});
    session.pump();
    session.flow.pass(6s);
  }
  session.check_end(1012, "moved");
}

}  // namespace fairlead::test
