// The table of interface section 5: what Fairlead ends itself, with which code for whom, and when
// it may.

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

struct Row {
  const char* reason;  // the log's word
  int client_code;     // -1: no Close
  int backend_code;
  void (*prepare)(conf::Route& route);
  void (*act)(Flow& flow);
};

void nothing(conf::Route&) {}

const Row kRows[] = {
    {"client_protocol_error", 1002, 1001, nothing,
     [](Flow& flow) { flow.client->send_frame({.opcode = 5, .payload = "?"}); }},
    {"client_bad_text", 1007, 1001, nothing,
     [](Flow& flow) { flow.client->close_frame(1000, "\xff"); }},
    {"client_message_too_big", 1009, 1009,
     [](conf::Route& route) { route.websocket.max_message = 10; },
     [](Flow& flow) { flow.client->text("eleven byte"); }},
    {"client_message_too_big", 1009, 1009,
     [](conf::Route& route) { route.websocket.max_frame = 10; },
     [](Flow& flow) { flow.client->text("eleven byte"); }},
    {"rate_exceeded", 1008, 1001,
     [](conf::Route& route) {
       route.limits.messages = conf::Rate{1, 1};
       route.limits.on_excess = conf::Limits::OnExcess::close;
     },
     [](Flow& flow) {
       flow.client->text("one");
       flow.client->text("two");
     }},
    {"rate_exceeded", 1008, 1001,
     [](conf::Route& route) {
       route.limits.bytes = conf::Rate{5, 5};
       route.limits.on_excess = conf::Limits::OnExcess::close;
     },
     [](Flow& flow) { flow.client->text("sixsix"); }},
    {"backend_protocol_error", 1011, 1002, nothing,
     [](Flow& flow) { flow.backend->send_frame({.opcode = 0, .payload = "of what?"}); }},
    {"backend_protocol_error", 1011, 1002, nothing,
     [](Flow& flow) { flow.backend->send_frame({.opcode = 1, .payload = "?", .masked = true}); }},
    {"backend_bad_text", 1011, 1007, nothing,
     [](Flow& flow) { flow.backend->close_frame(1000, "\xff"); }},
    {"backend_message_too_big", 1009, 1009,
     [](conf::Route& route) { route.websocket.max_message_from_backend = 10; },
     [](Flow& flow) { flow.backend->text("eleven byte"); }},
    {"stopping", 1001, 1001, nothing,
     [](Flow& flow) { flow.tunnel->drain(flow.loop.now() + 30s); }},
    {"moved", 1012, 1001, nothing,
     [](Flow& flow) {
       flow.tunnel->leave({.at = flow.loop.now(), .until = flow.loop.now() + 30s});
       flow.pass(1s);
     }},
    {"idle_timeout", 1001, 1001, [](conf::Route& route) { route.websocket.idle_timeout = 15s; },
     [](Flow& flow) { flow.pass(15s); }},
    {"max_lifetime", 1001, 1001, [](conf::Route& route) { route.websocket.max_lifetime = 15s; },
     [](Flow& flow) { flow.pass(15s); }},
    {"client_gone", -1, 1001, nothing, [](Flow& flow) { flow.client->half_close(); }},
    {"backend_gone", 1011, -1, nothing, [](Flow& flow) { flow.backend->half_close(); }},
    {"client_dead", -1, 1001, [](conf::Route& route) { route.websocket.ping_backend = false; },
     [](Flow& flow) { flow.pump().pass(20s).pass(10s); }},
};

// Nothing is wrong with either side: the client is told first, and the server once it has answered.
bool graceful(const Row& row) {
  const std::string_view reason = row.reason;
  return reason == "stopping" || reason == "moved" || reason == "idle_timeout" ||
         reason == "max_lifetime";
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

}  // namespace

TEST_CASE("endings: the table's rows, answered by Closes", "[flow][endings]") {
  const bool tls = GENERATE(false, true);
  for (const Row& row : kRows) {
    if (tls && row.reason == std::string_view("client_gone"))
      continue;  // its end is a closing_test
    CAPTURE(row.reason, tls);
    conf::Route route;
    row.prepare(route);
    Flow flow(route, {.client_tls = tls});
    flow.start();
    row.act(flow);
    flow.pump();
    CHECK(flow.client->close_code() == row.client_code);
    if (graceful(row)) {
      CHECK(flow.backend->close_code() == -1);
      flow.client->close_frame(1000);
      flow.pump();
    }
    CHECK(flow.backend->close_code() == row.backend_code);
    if (row.client_code > 0) CHECK_FALSE(flow.client->close_reason().empty());
    if (row.backend_code > 0) CHECK_FALSE(flow.backend->close_reason().empty());
    CHECK(flow.close_lines() == 0);

    if (!graceful(row)) flow.client->close_frame(1000);
    flow.backend->close_frame(1000);
    flow.client->half_close();
    flow.backend->half_close();
    flow.pump();
    CHECK_FALSE(flow.alive());
    CHECK(flow.client->end() == FarEnd::End::eof);
    CHECK(flow.backend->end() == FarEnd::End::eof);
    if (row.client_code != -1) CHECK(flow.client->notified() == tls);
    CHECK(flow.logged("reason", quoted(row.reason)));
    // What a side that vanished would have said nobody knows: a code of ours is not its own.
    const bool vanished = !flow.logged("closed_by", R"("proxy")");
    CHECK(flow.logged("close_code", vanished ? "null" : std::to_string(row.client_code)));
    CHECK(vanished == (row.reason == std::string_view("client_gone") ||
                       row.reason == std::string_view("client_dead") ||
                       row.reason == std::string_view("backend_gone")));
  }
}

TEST_CASE("endings: whatever ends a session, silence ends it by the clock", "[flow][endings]") {
  for (const Row& row : kRows) {
    CAPTURE(row.reason);
    conf::Route route;
    row.prepare(route);
    Flow flow(route);
    flow.start();
    row.act(flow);
    flow.pump();
    CHECK(flow.alive());
    flow.pass(6s);
    if (graceful(row)) {
      CHECK(flow.client->end() == FarEnd::End::eof);
      CHECK(flow.backend->close_code() == row.backend_code);
      CHECK(flow.alive());
      flow.pass(6s);
    }
    CHECK_FALSE(flow.alive());
    CHECK(flow.close_lines() == 1);
    CHECK(flow.logged("reason", quoted(row.reason)));
  }
}

TEST_CASE("endings: a client's violation waits for the end of the backend's frame",
          "[flow][endings]") {
  const std::string frame = make({.opcode = 2, .payload = std::string(300, 'f')});
  for (std::size_t cut : {4U, 5U, 100U, 303U}) {
    for (bool rest_in_pieces : {false, true}) {
      CAPTURE(cut, rest_in_pieces);
      Flow flow;
      flow.start();
      flow.backend->send(frame.substr(0, cut));
      flow.pump();
      flow.client->send_frame({.opcode = 11});
      flow.pump();
      CHECK(flow.backend->close_code() == 1001);
      CHECK(flow.client->close_code() == -1);
      CHECK(flow.client->received() == frame.substr(0, cut));
      const std::string rest = frame.substr(cut) + make({.opcode = 1, .payload = "not any more"});
      if (rest_in_pieces) {
        for (char c : rest) {
          flow.backend->send({&c, 1});
          flow.turn();
        }
      } else {
        flow.backend->send(rest);
      }
      flow.backend->close_frame(1001);
      flow.pump();
      CHECK(flow.client->received().substr(0, frame.size()) == frame);
      CHECK(flow.client->frames().size() == 2);
      CHECK(flow.client->close_code() == 1002);
      flow.client->half_close();
      flow.pump();
      CHECK_FALSE(flow.alive());
    }
  }
}

TEST_CASE("endings: a frame that its sender never finishes costs the Close, not the deadline",
          "[flow][endings]") {
  const bool gone = GENERATE(true, false);
  Flow flow;
  flow.start();
  const std::string part = make({.opcode = 2, .payload = std::string(300, 'f')}).substr(0, 100);
  flow.backend->send(part);
  flow.pump();
  flow.client->send_frame({.opcode = 11});
  flow.pump();
  if (gone) {
    flow.backend->half_close();
    flow.pump();
    CHECK(flow.client->end() == FarEnd::End::eof);
  }
  flow.pass(6s);
  CHECK_FALSE(flow.alive());
  CHECK(flow.client->received() == part);
  CHECK(flow.client->end() != FarEnd::End::open);
  CHECK(flow.close_lines() == 1);
}

TEST_CASE("endings: between two fragments is a boundary", "[flow][endings]") {
  conf::Route route;
  route.websocket.max_lifetime = 15s;
  Flow flow(route);
  flow.start();
  flow.backend->send_frame({.opcode = 1, .payload = "frag", .fin = false});
  flow.client->send_frame({.opcode = 1, .payload = "frag", .fin = false});
  flow.pump();
  flow.pass(15s);
  CHECK(flow.client->close_code() == 1001);
  CHECK(flow.backend->close_code() == -1);
  flow.client->close_frame(1001);
  flow.pump();
  CHECK(flow.backend->close_code() == 1001);
}

TEST_CASE("endings: an offender may go on sending and gets its Close all the same",
          "[flow][endings]") {
  Flow flow;
  flow.start();
  flow.client->send_frame({.opcode = 11});
  for (int i = 0; i < 50; ++i) {
    flow.client->send(std::string(10'000, 'g'));
    flow.pump();
  }
  CHECK(flow.client->close_code() == 1002);
  CHECK(flow.client->end() == FarEnd::End::eof);  // ours is said; not reset: the Close is readable
  CHECK(flow.backend->frames().size() == 1);
  flow.pass(6s);
  CHECK_FALSE(flow.alive());
}

TEST_CASE("endings: what Fairlead sent first stays, later Closes are answers", "[flow][endings]") {
  Flow flow;
  flow.start();
  flow.tunnel->drain(flow.loop.now() + 30s);
  flow.client->close_frame(4000, "me first");
  flow.backend->close_frame(4001, "no, me");
  flow.pump();
  CHECK(flow.client->frames().size() == 1);
  CHECK(flow.backend->frames().size() == 1);
  CHECK(flow.client->close_code() == 1001);
  CHECK(flow.backend->close_code() == 1001);
  CHECK(flow.logged("reason", R"("stopping")"));
  CHECK(flow.logged("closed_by", R"("proxy")"));
}

TEST_CASE("endings: no ping of ours after a Close", "[flow][endings]") {
  Flow flow;
  flow.start();
  flow.pass(19s);
  flow.client->close_frame(1000);
  flow.pump().pass(2s).pass(2s);
  CHECK(flow.backend->frames().size() == 1);
  CHECK(flow.client->received() == "");
}

TEST_CASE("endings: a ping that is due in the middle of a frame gives way to a Close",
          "[flow][endings]") {
  Flow flow;
  flow.start();
  const std::string frame = make({.opcode = 2, .payload = std::string(300, 'f')});
  flow.backend->send(frame.substr(0, 100));
  flow.pump().pass(20s);
  flow.tunnel->drain(flow.loop.now() + 30s);
  flow.backend->send(frame.substr(100));
  flow.pump();
  CHECK(flow.client->frames().size() == 2);
  CHECK(flow.client->close_code() == 1001);
}

}  // namespace fairlead::test
