// Close frames of the two ends, and what becomes of a session when TCP ends.

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

struct Ends {
  FarEnd& first;
  FarEnd& second;
};

Ends ends(Flow& flow, bool client_first) {
  if (client_first) return {*flow.client, *flow.backend};
  return {*flow.backend, *flow.client};
}

}  // namespace

TEST_CASE("closing: a Close passes with code and reason, and the session ends with both",
          "[flow][closing]") {
  const bool client = GENERATE(true, false);
  const unsigned code = GENERATE(0U, 1000U, 1001U, 3000U, 4999U);
  const bool tls = GENERATE(false, true);
  CAPTURE(client, code, tls);
  Flow flow({}, {.client_tls = tls});
  flow.start();
  auto [first, second] = ends(flow, client);
  first.close_frame(code, code == 0 ? "" : "so long");
  flow.pump();
  CHECK(second.close_code() == static_cast<int>(code));
  CHECK(second.close_reason() == (code == 0 ? "" : "so long"));
  CHECK(first.received() == "");
  CHECK(flow.alive());
  CHECK(flow.close_lines() == 0);

  second.close_frame(code, "likewise");
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(first.close_code() == static_cast<int>(code));
  CHECK(first.end() == FarEnd::End::eof);
  CHECK(second.end() == FarEnd::End::eof);
  CHECK(flow.client->notified() == tls);
  CHECK(flow.logged("reason", client ? R"("client_closed")" : R"("backend_closed")"));
  CHECK(flow.logged("closed_by", client ? R"("client")" : R"("backend")"));
  if (code != 0) CHECK(flow.logged("close_code", std::to_string(code)));
  if (code != 0) CHECK(flow.logged("close_reason", R"("so long")"));
}

TEST_CASE("closing: a Close cut at every byte passes", "[flow][closing]") {
  const std::string close =
      make({.opcode = 8, .payload = close_payload(1000, "bye"), .masked = true});
  for (std::size_t cut = 1; cut < close.size(); ++cut) {
    Flow flow;
    flow.start();
    flow.client->send(close.substr(0, cut));
    flow.turn();
    flow.client->send(close.substr(cut));
    flow.pump();
    REQUIRE(flow.backend->received() == close);
  }
}

TEST_CASE("closing: two Closes that cross end the session", "[flow][closing]") {
  Flow flow;
  flow.start();
  flow.client->close_frame(1000, "c");
  flow.backend->close_frame(1001, "b");
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.client->close_code() == 1001);
  CHECK(flow.backend->close_code() == 1000);
  CHECK(flow.close_lines() == 1);
}

TEST_CASE("closing: what comes behind a Close is not forwarded", "[flow][closing]") {
  const bool client = GENERATE(true, false);
  const bool one_piece = GENERATE(true, false);
  Flow flow;
  flow.start();
  auto [first, second] = ends(flow, client);
  const std::string close =
      make({.opcode = 8, .payload = close_payload(1000, ""), .masked = client});
  const std::string more =
      make_stream({{.opcode = 1, .payload = "more"}, {.opcode = 8}}, client) + "\xff\xff\xff";
  if (one_piece) {
    first.send(close + more);
  } else {
    first.send(close);
    flow.pump();
    first.send(more);
  }
  flow.pump();
  CHECK(second.received() == close);
  second.close_frame(1000);
  flow.pump();
  CHECK_FALSE(flow.alive());
}

TEST_CASE("closing: data that was on its way to a side that sent a Close still arrives",
          "[flow][closing]") {
  const bool client = GENERATE(true, false);
  Flow flow;
  flow.start();
  auto [first, second] = ends(flow, client);
  first.close_frame(1000);
  flow.pump();
  second.text("one more");
  second.send_frame({.opcode = 2, .payload = "x", .fin = false});
  flow.pump();
  second.send_frame({.opcode = 0, .payload = "y"});
  second.close_frame(1000);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(first.frames().size() == 4);
  CHECK(first.close_code() == 1000);
}

TEST_CASE("closing: a Close answered by TCP's end only is echoed to who sent it",
          "[flow][closing]") {
  const bool client = GENERATE(true, false);
  const bool reset = GENERATE(true, false);
  CAPTURE(client, reset);
  Flow flow;
  flow.start();
  auto [first, second] = ends(flow, client);
  first.close_frame(4001, "app");
  if (reset) {
    flow.turn();
    second.close();  // with the Close unread: a reset
  } else {
    flow.pump();
    second.close();
  }
  flow.pump();
  CHECK(first.close_code() == 4001);
  CHECK(first.end() == FarEnd::End::eof);
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", client ? R"("client_closed")" : R"("backend_closed")"));
}

TEST_CASE("closing: an echo never carries a code that may not be on the wire", "[flow][closing]") {
  conf::Route route;
  route.websocket.strict = false;
  const unsigned code = GENERATE(0U, 1005U, 1006U, 1015U, 999U, 1000U, 3000U);
  Flow flow(route);
  flow.start();
  flow.client->close_frame(code);
  flow.pump();
  flow.backend->close();
  flow.pump();
  CHECK(flow.client->close_code() == (code == 3000 ? 3000 : 1000));
  CHECK_FALSE(flow.alive());
}

TEST_CASE("closing: a side that half-closes behind its Close still gets the answer",
          "[flow][closing]") {
  const bool client = GENERATE(true, false);
  CAPTURE(client);
  Flow flow;
  flow.start();
  auto [first, second] = ends(flow, client);
  first.close_frame(1000, "bye");
  first.half_close();
  flow.pump();
  CHECK(second.close_code() == 1000);
  CHECK(flow.alive());
  CHECK_FALSE((client ? flow.reads_client() : flow.reads_backend()));  // no spinning at its end
  second.text("before the answer");
  second.close_frame(1000, "bye");
  flow.pump();
  CHECK(first.close_code() == 1000);
  CHECK(first.end() == FarEnd::End::eof);
  CHECK_FALSE(flow.alive());
}

TEST_CASE("closing: a side that is gone behind its Close leaves the other its time to answer",
          "[flow][closing]") {
  const bool client = GENERATE(true, false);
  Flow flow;
  flow.start();
  auto [first, second] = ends(flow, client);
  first.close_frame(1000, "bye");
  first.close();
  flow.pump();
  CHECK(second.close_code() == 1000);
  second.text("late");
  flow.pump();
  second.close_frame(1000);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(second.end() == FarEnd::End::eof);
  CHECK(flow.close_lines() == 1);
}

TEST_CASE("closing: a Close that nobody answers ends by the clock", "[flow][closing]") {
  const bool client = GENERATE(true, false);
  const bool tls = GENERATE(false, true);
  Flow flow({}, {.client_tls = tls});
  flow.start();
  auto [first, second] = ends(flow, client);
  first.close_frame(1000);
  flow.pump().pass(4900ms);
  CHECK(flow.alive());
  flow.pass(200ms);
  CHECK_FALSE(flow.alive());
  CHECK(first.end() == FarEnd::End::eof);
  CHECK(second.end() == FarEnd::End::eof);
  CHECK(flow.client->notified() == tls);
  CHECK(flow.close_lines() == 1);
}

TEST_CASE("closing: a half-closed side gets its Close back when the other only vanishes",
          "[flow][closing]") {
  const bool client = GENERATE(true, false);
  Flow flow;
  flow.start();
  auto [first, second] = ends(flow, client);
  first.close_frame(1000);
  first.half_close();
  flow.pump();
  second.close();
  flow.pump();
  CHECK(first.close_code() == 1000);
  CHECK(first.end() == FarEnd::End::eof);
  CHECK_FALSE(flow.alive());
}

TEST_CASE("closing: a slow client gets all that its backend said before it left",
          "[flow][closing]") {
  const bool with_close = GENERATE(true, false);
  Flow flow({}, {.buffer = 16 * 1024});
  flow.start();
  flow.client->stop_reading(true);
  std::string stream;
  for (int i = 0; i < 30; ++i) stream += make({.opcode = 2, .payload = std::string(5000, 'a')});
  flow.backend->send(stream);
  if (with_close) flow.backend->close_frame(1000);
  flow.pump();
  CHECK(flow.held_for_client() > 0);
  for (int i = 0; i < 1000 && flow.client->received().size() < stream.size(); ++i) {
    flow.client->stop_reading(i % 2 == 0);
    if (flow.backend->unsent() == 0) flow.backend->close();
    flow.pump();
  }
  flow.client->stop_reading(false);
  flow.backend->close();
  flow.pump();
  CHECK(flow.client->received().substr(0, stream.size()) == stream);
  CHECK(flow.client->close_code() == (with_close ? 1000 : 1011));
  flow.client->close_frame(1000);
  flow.pump();
  CHECK_FALSE(flow.alive());
}

TEST_CASE("closing: a client gone without Close, however it went", "[flow][closing]") {
  const int how = GENERATE(0, 1, 2);
  const bool tls = GENERATE(false, true);
  CAPTURE(how, tls);
  Flow flow({}, {.client_tls = tls});
  flow.start();
  flow.client->text("last words");
  if (how == 0) flow.client->half_close();
  if (how == 1) flow.client->close();
  if (how == 2) {
    flow.client->stop_reading(true);
    flow.backend->text("unread");
    flow.pump();
    flow.client->close();
  }
  flow.pump();
  std::vector<Seen> got = flow.backend->frames();
  REQUIRE(got.size() == 2);
  CHECK(got[0] == Seen{1, "last words"});
  CHECK(flow.backend->close_code() == 1001);
  CHECK_FALSE(flow.reads_client());
  flow.backend->close_frame(1001);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.client->close_code() == -1);
  CHECK(flow.logged("reason", R"("client_gone")"));
  CHECK(flow.logged("close_code", "null"));
  CHECK(flow.logged("closed_by", R"("client")"));
}

TEST_CASE("closing: a backend lost without Close, however it went", "[flow][closing]") {
  const int how = GENERATE(0, 1, 2);
  CAPTURE(how);
  Flow flow;
  flow.start();
  flow.backend->text("last words");
  if (how == 0) flow.backend->half_close();
  if (how == 1) flow.backend->close();
  if (how == 2) {
    flow.backend->stop_reading(true);
    flow.client->text("unread");
    flow.pump();
    flow.backend->close();
  }
  flow.pump();
  CHECK(flow.client->frames().front() == Seen{1, "last words"});
  CHECK(flow.client->close_code() == 1011);
  CHECK(flow.client->close_reason() == "backend lost");
  CHECK(flow.backend->close_code() == -1);
  flow.client->close_frame(1011);
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.logged("reason", R"("backend_gone")"));
}

TEST_CASE("closing: a frame that can never be completed ends TCP without a Close",
          "[flow][closing]") {
  const bool client = GENERATE(true, false);
  const std::string frame =
      make({.opcode = 2, .payload = std::string(1000, 'f'), .masked = client});
  const std::size_t cut = GENERATE(10U, 500U, 999U);
  Flow flow;
  flow.start();
  auto [first, second] = ends(flow, client);
  first.send(frame.substr(0, cut));
  first.half_close();
  flow.pump();
  CHECK(second.received() == frame.substr(0, cut));
  CHECK(second.end() == FarEnd::End::eof);
  CHECK(second.close_code() == -1);
  flow.pass(6s);
  CHECK_FALSE(flow.alive());
  CHECK(flow.close_lines() == 1);
}

TEST_CASE("closing: an incomplete header is no frame: the Close stands in its place",
          "[flow][closing]") {
  const bool client = GENERATE(true, false);
  Flow flow;
  flow.start();
  auto [first, second] = ends(flow, client);
  first.text("whole");
  first.send(make({.opcode = 2, .payload = std::string(1000, 'f'), .masked = client}).substr(0, 3));
  first.close();
  flow.pump();
  CHECK(second.frames().size() == 2);
  CHECK(second.close_code() == (client ? 1001 : 1011));
}

TEST_CASE("closing: real TCP, a reset client", "[flow][closing]") {
  Flow flow({}, {.tcp = true});
  flow.start();
  flow.client->reset();
  while (flow.backend->received().empty()) {
    flow.loop.turn(true);
    flow.backend->pump();
  }
  CHECK(flow.backend->close_code() == 1001);
}

}  // namespace fairlead::test
