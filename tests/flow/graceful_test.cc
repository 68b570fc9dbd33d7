// A graceful end: the client is told first, and not one whole message that it sent before its
// answer misses the server.

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

// The ways in which Fairlead ends a session that has nothing wrong with it.
struct Way {
  const char* reason;  // the log's word
  int client_code;
  void (*prepare)(conf::Route& route);
  void (*act)(Flow& flow);
};

void nothing(conf::Route&) {}

edge::Leave leave_now(Flow& flow, rules::Cause cause, bool final) {
  const auto now = flow.loop.now();
  return {.cause = cause, .at = now, .until = now + 30s, .final = final};
}

const Way kWays[] = {
    {"stopping", 1001, nothing,
     [](Flow& flow) { flow.tunnel->leave(leave_now(flow, rules::Cause::stopping, true)); }},
    {"moved", 1012, nothing,
     [](Flow& flow) { flow.tunnel->leave(leave_now(flow, rules::Cause::moved, false)); }},
    {"moved", 1012, nothing,  // to another process
     [](Flow& flow) { flow.tunnel->leave(leave_now(flow, rules::Cause::moved, true)); }},
    {"admin_closed", 1001, nothing,
     [](Flow& flow) { flow.tunnel->close(rules::Cause::closed_by_admin); }},
    {"idle_timeout", 1001, [](conf::Route& route) { route.websocket.idle_timeout = 10s; },
     [](Flow& flow) { flow.pass(10s); }},
    {"max_lifetime", 1001, [](conf::Route& route) { route.websocket.max_lifetime = 10s; },
     [](Flow& flow) { flow.pass(10s); }},
};

// Messages with numbers from `first` on, masked as a client's.
std::string numbered(int first, int count, std::size_t size = 20) {
  std::string stream;
  for (int i = first; i < first + count; ++i) {
    std::string payload = std::to_string(i) + ".";
    payload.resize(std::max(payload.size(), size), 'x');
    stream += make({.opcode = 1, .payload = payload, .masked = true});
  }
  return stream;
}

// How many whole messages came, which have to be 0, 1, 2, ...
int in_order(const FarEnd& end) {
  int count = 0;
  for (const Seen& seen : end.frames()) {
    if (seen.opcode > 2) continue;
    REQUIRE(seen.payload.substr(0, seen.payload.find('.')) == std::to_string(count));
    ++count;
  }
  return count;
}

std::string answer(unsigned code) {
  return make({.opcode = 8, .payload = close_payload(code, ""), .masked = true});
}

conf::Route with(void (*prepare)(conf::Route&)) {
  conf::Route route;
  route.websocket.ping_interval.reset();
  prepare(route);
  return route;
}

// The session is told to go, with `way`.
void begin(Flow& flow, const Way& way) {
  flow.start();
  flow.client->send(numbered(0, 3));
  flow.pump();
  way.act(flow);
  flow.pass(10ms);
  REQUIRE(flow.client->close_code() == way.client_code);
  REQUIRE(flow.backend->close_code() == -1);
}

void check_end(Flow& flow, const Way& way) {
  CHECK(flow.backend->close_code() == 1001);
  flow.backend->close_frame(1001);
  flow.backend->half_close();
  flow.client->half_close();
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", "\"" + std::string(way.reason) + "\""));
  CHECK(flow.logged("close_code", std::to_string(way.client_code)));
  CHECK(flow.logged("closed_by", R"("proxy")"));
}

}  // namespace

TEST_CASE("graceful: what the client sent before its answer reaches the server",
          "[flow][graceful]") {
  const bool tls = GENERATE(false, true);
  const bool one_piece = GENERATE(false, true);
  const unsigned code = GENERATE(1000U, 1001U, 1012U, 4000U);
  for (const Way& way : kWays) {
    CAPTURE(way.reason, tls, one_piece, code);
    Flow flow(with(way.prepare), {.client_tls = tls});
    begin(flow, way);
    if (one_piece) {
      flow.client->send(numbered(3, 500) + answer(code) + numbered(503, 1));
    } else {
      for (int i = 3; i < 503; i += 50) {
        flow.client->send(numbered(i, 50));
        flow.pump();
        CHECK(flow.backend->close_code() == -1);
      }
      flow.client->send(answer(code));
    }
    flow.pump();
    CHECK(in_order(*flow.backend) == 503);
    check_end(flow, way);
    CHECK(flow.logged("msgs_in", "503"));
  }
}

TEST_CASE("graceful: a client that does not answer has five seconds", "[flow][graceful]") {
  for (const Way& way : kWays) {
    CAPTURE(way.reason);
    Flow flow(with(way.prepare));
    begin(flow, way);
    int sent = 3;
    for (; sent < 10; ++sent) {
      flow.client->send(numbered(sent, 1));
      flow.pass(600ms);
    }
    CHECK(in_order(*flow.backend) == 10);
    CHECK(flow.backend->close_code() == -1);
    flow.pass(900ms);
    CHECK(flow.client->end() == FarEnd::End::eof);
    flow.client->send(numbered(sent, 1));
    flow.pump();
    CHECK(in_order(*flow.backend) == 10);
    check_end(flow, way);
  }
}

TEST_CASE("graceful: a client that goes instead of answering", "[flow][graceful]") {
  const int how = GENERATE(0, 1, 2);
  for (const Way& way : kWays) {
    CAPTURE(way.reason, how);
    Flow flow(with(way.prepare));
    begin(flow, way);
    flow.client->send(numbered(3, 20));
    if (how == 0) flow.client->half_close();
    if (how == 1) flow.client->close();
    if (how == 2) flow.client->send_frame({.opcode = 5});  // and breaks the protocol
    flow.pump();
    CHECK(in_order(*flow.backend) == 23);
    check_end(flow, way);
  }
}

TEST_CASE("graceful: a frame that is under way when the time is up is ended, or TCP is",
          "[flow][graceful]") {
  const bool ends = GENERATE(false, true);
  const bool leaves = GENERATE(false, true);
  const Way& way = kWays[leaves ? 3 : 5];
  Flow flow(with(way.prepare));
  begin(flow, way);
  const std::string frame = numbered(3, 1, 5000);
  flow.client->send(frame.substr(0, 2000));
  flow.pass(5s);
  CHECK(flow.backend->close_code() == -1);
  if (ends) {
    flow.client->send(frame.substr(2000) + numbered(4, 1));
    flow.pump();
    CHECK(in_order(*flow.backend) == 4);
    return check_end(flow, way);
  }
  flow.pass(5s);
  CHECK_FALSE(flow.alive());
  CHECK(parse_frames(flow.backend->received(), true).rest > 0);
  CHECK(flow.backend->end() == FarEnd::End::eof);
}

TEST_CASE("graceful: a slow server gets what was read before its Close", "[flow][graceful]") {
  Flow flow(with(nothing), {.buffer = 4096});
  const Way& way = kWays[0];
  begin(flow, way);
  flow.backend->stop_reading(true);
  flow.client->send(numbered(3, 100, 1000) + answer(1001));
  flow.pump();
  CHECK(flow.held_for_backend() > 0);
  flow.pass(4s);
  flow.backend->stop_reading(false);
  flow.pump();
  CHECK(in_order(*flow.backend) == 103);
  check_end(flow, way);
}

TEST_CASE("graceful: what a server says behind the client's Close is dropped and not counted",
          "[flow][graceful]") {
  const bool closes = GENERATE(false, true);
  Flow flow(with(nothing));
  flow.start();
  flow.backend->text("one");
  flow.pump();
  kWays[1].act(flow);
  flow.pass(10ms);
  for (int i = 0; i < 100; ++i) flow.backend->text("nobody listens");
  if (closes) flow.backend->close_frame(4001, "by itself");
  flow.client->send(numbered(0, 10));
  flow.pump();
  CHECK(flow.client->frames().size() == 2);
  CHECK(in_order(*flow.backend) == 10);
  CHECK(flow.backend->close_code() == -1);
  flow.client->send(numbered(10, 10) + answer(1012));
  flow.pump();
  CHECK(in_order(*flow.backend) == 20);
  CHECK(flow.backend->close_code() == 1001);
  if (!closes) flow.backend->close_frame(1001);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("msgs_out", "1"));
  CHECK(flow.logged("msgs_in", "20"));
  CHECK(flow.logged("close_code", "1012"));
}

TEST_CASE("graceful: a throttled client loses nothing", "[flow][graceful]") {
  const bool before = GENERATE(false, true);  // its debt begins before the end, or with it
  CAPTURE(before);
  conf::Route route = with(nothing);
  const Way& way = kWays[0];
  std::string pings;
  SECTION("messages") {
    route.limits.messages = conf::Rate{1, 5};
  }
  SECTION("bytes") {
    route.limits.bytes = conf::Rate{1, 40};
  }
  SECTION("control frames") {
    route.limits.control_frames = conf::Rate{1, 1};
    for (int i = 0; i < 50; ++i) pings += make({.opcode = 9, .payload = "p", .masked = true});
  }
  Flow flow(route);
  if (before) {
    flow.start();
    flow.client->send(numbered(0, 10) + pings + numbered(10, 5));
    flow.pump();
    REQUIRE(in_order(*flow.backend) < 15);
    way.act(flow);
    flow.pass(10ms);
  } else {
    begin(flow, way);
    flow.client->send(numbered(3, 12));
  }
  flow.client->send(pings + numbered(15, 20) + answer(1001));
  flow.pump();
  CHECK(in_order(*flow.backend) == 35);
  check_end(flow, way);
}

TEST_CASE("graceful: the limits hold to the end", "[flow][graceful]") {
  conf::Route route = with(nothing);
  const Way& way = kWays[0];
  SECTION("max_message") {
    route.websocket.max_message = 100;
    Flow flow(route);
    begin(flow, way);
    flow.client->send(numbered(3, 2) + numbered(5, 1, 101) + numbered(6, 1) + answer(1001));
    flow.pump();
    CHECK(in_order(*flow.backend) == 5);
    check_end(flow, way);
  }
  SECTION("messages, closed") {
    route.limits.messages = conf::Rate{1, 5};
    route.limits.on_excess = conf::Limits::OnExcess::close;
    Flow flow(route);
    begin(flow, way);
    flow.client->send(numbered(3, 20) + answer(1001));
    flow.pump();
    CHECK(in_order(*flow.backend) == 5);
    check_end(flow, way);
  }
}

TEST_CASE("graceful: when there is no more time the server is told at once", "[flow][graceful]") {
  Flow flow(with(nothing));
  begin(flow, kWays[0]);
  flow.client->send(numbered(3, 1));
  flow.pump();
  flow.links.for_each([](edge::Link& link) { link.force_end(); });
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(in_order(*flow.backend) == 4);
  CHECK(flow.backend->close_code() == 1001);
  CHECK(flow.close_lines() == 1);
}

TEST_CASE("graceful: a process that ends leaves the server half of its time", "[flow][graceful]") {
  Flow flow(with(nothing));
  flow.home.draining = true;
  flow.home.drain_deadline = flow.loop.now() + 2s;
  begin(flow, kWays[0]);
  flow.pass(700ms);
  CHECK(flow.backend->close_code() == -1);
  flow.client->send(numbered(3, 1));
  flow.pass(300ms);
  CHECK(in_order(*flow.backend) == 4);
  check_end(flow, kWays[0]);
}

TEST_CASE("graceful: a session somebody looks at", "[flow][graceful]") {
  Flow flow(with(nothing));
  begin(flow, kWays[0]);
  auto link = std::make_shared<edge::TapLink>();
  link->deliver = [](edge::TapBatch) {};
  REQUIRE(flow.tunnel->watch(std::make_unique<edge::SessionTap>(flow.loop, link)));
  flow.client->send(numbered(3, 10) + answer(1001));
  flow.pump();
  CHECK(in_order(*flow.backend) == 13);
  check_end(flow, kWays[0]);
}

TEST_CASE("graceful: after the client's own Close the server's messages pass until its answer",
          "[flow][graceful]") {
  const bool tls = GENERATE(false, true);
  Flow flow(with(nothing), {.client_tls = tls});
  flow.start();
  flow.client->close_frame(1000);
  flow.pump();
  REQUIRE(flow.backend->close_code() == 1000);
  for (int i = 0; i < 200; ++i) {
    flow.backend->text("still going");
    flow.pump();
  }
  flow.backend->text("last");
  flow.backend->close_frame(1000);
  flow.pump();
  CHECK(flow.client->frames().size() == 202);
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("msgs_out", "201"));
}

}  // namespace fairlead::test
