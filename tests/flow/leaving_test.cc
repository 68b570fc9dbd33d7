// Sessions that have to go although nothing is wrong with them: between two messages, at their
// time, in their order.

#include <algorithm>

#include "proxy/edge/departures.h"
#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

edge::Leave leave_at(Flow& flow, std::chrono::milliseconds after = 0ms,
                     std::chrono::milliseconds patience = 30s) {
  const auto at = flow.loop.now() + after;
  return {.job = 7, .at = at, .until = at + patience};
}

Make fragment(unsigned opcode, std::string payload, bool fin) {
  return {.opcode = opcode, .payload = std::move(payload), .fin = fin};
}

// The messages among the frames, whole; "..." behind one that was not ended.
std::string messages(const FarEnd& end) {
  std::string text;
  bool open = false;
  for (const Seen& frame : end.frames()) {
    if (frame.opcode > 2) continue;
    text += frame.payload;
    open = !frame.fin;
    if (!open) text += '|';
  }
  return open ? text + "..." : text;
}

// The client was told and answers, then the server is told and answers.
void answer(Flow& flow) {
  CHECK(flow.client->close_code() != -1);
  CHECK(flow.backend->close_code() == -1);
  flow.client->close_frame(1000);
  flow.pump();
  CHECK(flow.backend->close_code() == 1001);
  flow.backend->close_frame(1000);
  flow.pump();
}

}  // namespace

TEST_CASE("leaving: an idle session goes at its time with 1012 and 1001", "[flow][leaving]") {
  const bool tls = GENERATE(false, true);
  Flow flow({}, {.client_tls = tls});
  flow.start();
  const auto count = std::make_shared<edge::LeaveCount>();
  edge::Leave leave = leave_at(flow, 5s);
  leave.count = count;
  CHECK(flow.tunnel->leave(leave));
  CHECK(count->left == 1);
  CHECK(count->staying() == 1);
  flow.pass(4s);
  CHECK(flow.client->close_code() == -1);
  flow.pass(1s).pump();
  CHECK(flow.client->close_code() == 1012);
  CHECK(count->told == 1);
  CHECK(count->left == 1);
  CHECK(count->staying() == 0);
  answer(flow);
  CHECK_FALSE(flow.alive());
  CHECK(count->left == 0);
  CHECK(count->staying() == 0);
  CHECK(count->total == 1);
  CHECK(flow.logged("reason", R"("moved")"));
  CHECK(flow.logged("close_code", "1012"));
  CHECK(flow.logged("closed_by", R"("proxy")"));
}

TEST_CASE("leaving: a fragmented message from the backend is ended first", "[flow][leaving]") {
  Flow flow;
  flow.start();
  flow.backend->send_frame(fragment(1, "one ", false));
  flow.pump();
  flow.tunnel->leave(leave_at(flow));
  flow.pass(1s).pump();
  CHECK(flow.client->close_code() == -1);
  CHECK(flow.backend->close_code() == -1);  // or it would not finish
  flow.client->text("goes on");
  flow.backend->send_frame({.opcode = 9, .payload = "ping"});
  flow.backend->send_frame(fragment(0, "two ", false));
  flow.pump();
  CHECK(flow.client->close_code() == -1);
  CHECK(messages(*flow.backend) == "goes on|");
  flow.backend->send_frame(fragment(0, "three", true));
  flow.backend->text("one too many");
  flow.backend->text("another");
  flow.pump();
  CHECK(flow.client->close_code() == 1012);
  CHECK(messages(*flow.client) == "one two three|");
  answer(flow);
  CHECK_FALSE(flow.alive());
}

TEST_CASE("leaving: the boundary is found wherever the pieces are cut", "[flow][leaving]") {
  std::string stream;
  for (const Make& frame : {fragment(0, "b", false), fragment(0, std::string(300, 'c'), true),
                            fragment(1, "next", true), fragment(2, "x", true)}) {
    stream += make(frame);
  }
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Flow flow;
    flow.start();
    flow.backend->send_frame(fragment(1, "a", false));
    flow.pump();
    flow.tunnel->leave(leave_at(flow));
    flow.pass(1s);
    flow.backend->send(stream.substr(0, cut));
    flow.pump();
    flow.backend->send(stream.substr(cut));
    flow.pump();
    CAPTURE(cut);
    CHECK(flow.client->close_code() == 1012);
    CHECK(messages(*flow.client) == "ab" + std::string(300, 'c') + "|");
    answer(flow);
    CHECK_FALSE(flow.alive());
  }
}

TEST_CASE("leaving: between the messages of a stream without a pause", "[flow][leaving]") {
  Flow flow;
  flow.start();
  std::string stream;
  for (int i = 0; i < 3000; ++i) stream += make(fragment(2, std::string(1000, 's'), true));
  flow.backend->send(stream);
  for (int i = 0; i < 5; ++i) {
    flow.turn();
    flow.client->pump();
  }
  flow.tunnel->leave(leave_at(flow));
  flow.pass(1s).pump();
  CHECK(flow.client->close_code() == 1012);
  for (const Seen& frame : flow.client->frames())
    CHECK((frame.opcode == 8 || frame.payload.size() == 1000));
  CHECK(flow.client->frames().size() < 3000);
}

TEST_CASE("leaving: what the client was saying reaches the backend", "[flow][leaving]") {
  Flow flow;
  flow.start();
  flow.client->send_frame(fragment(1, "half", false));
  flow.pump();
  flow.tunnel->leave(leave_at(flow));
  flow.pass(1s).pump();
  CHECK(flow.client->close_code() == 1012);
  CHECK(flow.backend->close_code() == -1);
  SECTION("it finishes") {
    flow.client->send_frame(fragment(0, " whole", true));
    flow.client->text("late");
    flow.client->close_frame(1012);
    flow.pump();
    CHECK(messages(*flow.backend) == "half whole|late|");
    CHECK(flow.backend->close_code() == 1001);
    flow.backend->close_frame(1001);
    flow.pump();
    CHECK_FALSE(flow.alive());
  }
  SECTION("it does not, and answers") {
    flow.client->close_frame(1012);
    flow.pump();
    CHECK(flow.backend->close_code() == 1001);
  }
  SECTION("it does not, and goes") {
    flow.client->close();
    flow.pump();
    CHECK(flow.backend->close_code() == 1001);
  }
  SECTION("it says nothing any more") {
    flow.pass(28s).pump();
    CHECK(flow.backend->close_code() == -1);
    flow.pass(2s).pump();
    CHECK(flow.backend->close_code() == 1001);
    flow.pass(6s).pump();
    CHECK_FALSE(flow.alive());
  }
  CHECK(messages(*flow.backend).substr(0, 4) == "half");
}

TEST_CASE("leaving: a message without end has until the deadline", "[flow][leaving]") {
  Flow flow;
  flow.start();
  flow.backend->send_frame(fragment(1, "endless", false));
  flow.pump();
  flow.tunnel->leave(leave_at(flow, 0s, 10s));
  for (int i = 0; i < 9; ++i) {
    flow.backend->send_frame(fragment(0, ".", false));
    flow.pump().pass(1s);
  }
  CHECK(flow.client->close_code() == -1);
  flow.pass(2s).pump();
  CHECK(flow.client->close_code() == 1012);
  answer(flow);
  CHECK_FALSE(flow.alive());
}

TEST_CASE("leaving: a frame without end is never cut by a Close", "[flow][leaving]") {
  Flow flow;
  flow.start();
  flow.backend->send(make({.opcode = 2, .payload = std::string(3000, 'x')}).substr(0, 100));
  flow.pump();
  flow.tunnel->leave(leave_at(flow, 0s, 10s));
  flow.pass(9s).pump();
  CHECK(flow.alive());
  flow.pass(2s).pump().pass(6s).pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.client->received().size() == 100);
  CHECK(flow.close_lines() == 1);
}

TEST_CASE("leaving: who stays, stays", "[flow][leaving]") {
  Flow flow;
  flow.start();
  const auto count = std::make_shared<edge::LeaveCount>();
  edge::Leave leave = leave_at(flow, 5s);
  leave.count = count;
  flow.tunnel->leave(leave);
  bool open = false;
  SECTION("before its time") {}
  SECTION("within a message") {
    flow.backend->send_frame(fragment(1, "long", false));
    flow.pump().pass(6s).pump();
    open = true;
  }
  CHECK_FALSE(flow.tunnel->stay(8));
  CHECK(flow.tunnel->stay(7));
  CHECK_FALSE(flow.tunnel->stay(7));
  CHECK(count->left == 0);
  flow.backend->send_frame(fragment(open ? 0 : 1, " end", true));
  flow.pump().pass(10s).pump();
  CHECK(flow.client->close_code() == -1);
  CHECK(flow.alive());
}

TEST_CASE("leaving: the job whose time comes first, but the process's end goes before all",
          "[flow][leaving]") {
  Flow flow;
  flow.start();
  auto first = std::make_shared<edge::LeaveCount>();
  edge::Leave leave = leave_at(flow, 5s);
  leave.count = first;
  CHECK(flow.tunnel->leave(leave));
  edge::Leave other = leave_at(flow, 5s);
  other.job = 8;
  CHECK_FALSE(flow.tunnel->leave(other));
  CHECK(first->left == 1);
  other.at = flow.loop.now() + 4s;
  CHECK(flow.tunnel->leave(other));
  CHECK(first->left == 0);
  CHECK(first->total == 0);
  CHECK_FALSE(flow.tunnel->stay(7));
  other.at = flow.loop.now();
  other.cause = rules::Cause::stopping;
  other.final = true;
  CHECK(flow.tunnel->leave(other));
  CHECK_FALSE(flow.tunnel->leave(leave_at(flow)));
  flow.pass(1s).pump();
  CHECK(flow.client->close_code() == 1001);
  CHECK_FALSE(flow.tunnel->leave(other));
  CHECK_FALSE(flow.tunnel->stay(8));
}

TEST_CASE("leaving: no drain comes before the move to another process", "[flow][leaving]") {
  Flow flow;
  flow.start();
  edge::Leave handed = leave_at(flow, 5s);
  handed.final = true;
  CHECK(flow.tunnel->leave(handed));
  CHECK_FALSE(flow.tunnel->leave(leave_at(flow, 1s)));
  CHECK_FALSE(flow.tunnel->leave(handed));
  flow.pass(2s).pump();
  CHECK(flow.client->close_code() == -1);
  flow.pass(3s).pump();
  CHECK(flow.client->close_code() == 1012);
}

TEST_CASE("leaving: who spoke lately is not idle and stays after all", "[flow][leaving]") {
  Flow flow;
  flow.start();
  flow.pass(5s);
  edge::Leave leave = leave_at(flow, 3s);
  leave.min_idle = 1s;
  leave.count = std::make_shared<edge::LeaveCount>();
  flow.tunnel->leave(leave);
  flow.pass(2900ms);
  flow.client->text("hello");
  flow.pump().pass(200ms).pump();
  CHECK(flow.client->close_code() == -1);
  CHECK(leave.count->total == 0);
  leave.at = flow.loop.now() + 3s;
  flow.tunnel->leave(leave);
  flow.pass(4s).pump();
  CHECK(flow.client->close_code() == 1012);
}

TEST_CASE("leaving: a session that ends by itself meanwhile ends as ever", "[flow][leaving]") {
  Flow flow;
  flow.start();
  flow.backend->send_frame(fragment(1, "open", false));
  flow.pump();
  flow.tunnel->leave(leave_at(flow));
  flow.pass(1s).pump();
  SECTION("the client closes") {
    flow.client->close_frame(4000);
    flow.pump();
    CHECK(flow.backend->close_code() == 4000);
    flow.backend->close_frame(4000);
  }
  SECTION("the backend closes") {
    flow.backend->close_frame(4000);
    flow.pump();
    CHECK(flow.client->close_code() == 4000);
    flow.client->close_frame(4000);
  }
  SECTION("the client breaks the protocol") {
    flow.client->send_frame({.opcode = 5});
    flow.pump();
    CHECK(flow.client->close_code() == 1002);
    CHECK(flow.backend->close_code() == 1001);
    flow.client->close_frame(1000);
    flow.backend->close_frame(1000);
  }
  SECTION("the backend is lost") {
    flow.backend->close();
    flow.pump();
    CHECK(flow.client->close_code() == 1011);
    flow.client->close_frame(1011);
  }
  flow.pump().pass(6s).pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.close_lines() == 1);
}

}  // namespace fairlead::test
