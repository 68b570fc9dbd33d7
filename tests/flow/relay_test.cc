// Bytes pass as they came, both ways, whatever their pieces; backpressure and its bounds.

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

// Everything a session may carry, short enough to be cut at every byte.
std::vector<Make> lively() {
  return {{.opcode = 1, .payload = "hello"},
          {.opcode = 2, .payload = std::string(200, 'x')},
          {.opcode = 1, .payload = "frag", .fin = false},
          {.opcode = 9, .payload = "app ping"},
          {.opcode = 0, .payload = "", .fin = false},
          {.opcode = 10, .payload = "unasked"},
          {.opcode = 0, .payload = "ment"},
          {.opcode = 10, .payload = "12345678"},  // as long as ours, but not ours
          {.opcode = 2, .payload = ""}};
}

std::string big_message(std::size_t size, bool masked) {
  return make({.opcode = 2, .payload = std::string(size, 'm'), .masked = masked});
}

conf::Route unlimited() {
  conf::Route route;
  route.websocket.max_message.reset();
  return route;
}

// Sends `total` bytes of payload from `from` in frames of `frame` bytes and looks at the held bytes
// all the way.
void pour(Flow& flow, FarEnd& from, const FarEnd& to, std::size_t total, std::size_t frame) {
  const std::string piece(frame, 'p');
  std::size_t sent = 0;
  std::size_t most = 0;
  for (int quiet = 0; quiet < 5;) {
    bool moved = false;
    if (sent < total && from.unsent() < 64 * 1024) {
      bool first = sent == 0;
      sent += frame;
      from.send_frame({.opcode = first ? 2U : 0U, .payload = piece, .fin = sent >= total});
      moved = true;
    }
    moved = flow.client->pump() || moved;
    moved = flow.backend->pump() || moved;
    flow.turn();
    most = std::max({most, flow.held_for_backend(), flow.held_for_client()});
    quiet = moved ? 0 : quiet + 1;
  }
  CHECK(most <= conf::bounds::kLaneMemory);
  Parsed parsed = parse_frames(to.received(), &from == flow.client.get());
  CHECK(parsed.wrong == "");
  CHECK(parsed.rest == 0);
  std::size_t came = 0;
  for (const Seen& seen : parsed.frames) came += seen.payload.size();
  CHECK(came == total);
}

}  // namespace

TEST_CASE("relay: bytes pass unchanged both ways, one byte a turn", "[flow][relay]") {
  Flow flow;
  flow.start();
  const std::string up = make_stream(lively(), true);
  const std::string down = make_stream(lively(), false);
  for (std::size_t i = 0; i < std::max(up.size(), down.size()); ++i) {
    if (i < up.size()) flow.client->send(std::string_view(up).substr(i, 1));
    if (i < down.size()) flow.backend->send(std::string_view(down).substr(i, 1));
    flow.turn();
  }
  flow.pump();
  CHECK(flow.backend->received() == up);
  CHECK(flow.client->received() == down);
  CHECK(flow.alive());
}

TEST_CASE("relay: a stream cut in two at every byte passes unchanged", "[flow][relay]") {
  const bool from_client = GENERATE(true, false);
  const std::string stream = make_stream(lively(), from_client);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Flow flow;
    flow.start();
    FarEnd& from = from_client ? *flow.client : *flow.backend;
    FarEnd& to = from_client ? *flow.backend : *flow.client;
    from.send(stream.substr(0, cut));
    flow.turn();
    from.send(stream.substr(cut));
    flow.pump();
    CAPTURE(cut, from_client);
    REQUIRE(to.received() == stream);
  }
}

TEST_CASE("relay: what came behind the heads is relayed first, on both sides", "[flow][relay]") {
  const std::string up = make_stream(lively(), true);
  const std::string down = make_stream(lively(), false);
  for (std::size_t cut :
       {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{7}, up.size() - 1, up.size()}) {
    Flow flow;
    std::size_t down_cut = std::min(cut, down.size());
    flow.client->send(std::string_view(up).substr(cut));
    flow.backend->send(std::string_view(down).substr(down_cut));
    flow.start(up.substr(0, cut), down.substr(0, down_cut)).pump();
    CAPTURE(cut);
    CHECK(flow.backend->received() == up);
    CHECK(flow.client->received() == down);
  }
}

TEST_CASE("relay: a session may end within its early bytes", "[flow][relay]") {
  Flow flow;
  const std::string close =
      make({.opcode = 8, .payload = close_payload(1000, "bye"), .masked = true});
  flow.start(close, make({.opcode = 8, .payload = close_payload(1000, "bye")}));
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.client->close_code() == 1000);
  CHECK(flow.backend->close_code() == 1000);
  CHECK(flow.logged("event", R"("close")"));
}

TEST_CASE("relay: a broken early byte of the client ends the session legally", "[flow][relay]") {
  Flow flow;
  flow.start(make({.opcode = 3, .masked = true})).pump();
  CHECK(flow.client->close_code() == 1002);
  CHECK(flow.backend->close_code() == 1001);
}

TEST_CASE("relay: small send buffers change nothing but the pieces", "[flow][relay]") {
  const bool tls = GENERATE(false, true);
  Flow flow(unlimited(), {.client_tls = tls, .buffer = 4096});
  flow.start();
  const std::string up = big_message(300'000, true);
  const std::string down = big_message(300'000, false);
  flow.client->send(up);
  flow.backend->send(down);
  flow.pump();
  CHECK(flow.backend->received() == up);
  CHECK(flow.client->received() == down);
}

TEST_CASE("relay: 64 MiB in small fragments pass with bounded memory", "[flow][relay]") {
  const bool up = GENERATE(true, false);
  Flow flow(unlimited());
  flow.start();
  pour(flow, up ? *flow.client : *flow.backend, up ? *flow.backend : *flow.client,
       std::size_t{64} << 20, 64 * 1024);
  CHECK(flow.alive());
}

TEST_CASE("relay: a reader that stops pauses its source, and all arrives when it goes on",
          "[flow][relay]") {
  const bool up = GENERATE(true, false);
  const bool tls = GENERATE(false, true);
  CAPTURE(up, tls);
  Flow flow(unlimited(), {.client_tls = tls, .buffer = 16 * 1024});
  flow.start();
  FarEnd& from = up ? *flow.client : *flow.backend;
  FarEnd& to = up ? *flow.backend : *flow.client;
  to.stop_reading(true);
  std::string stream;
  for (int i = 0; i < 200; ++i)
    stream += make({.opcode = 2, .payload = std::string(5000, 'a'), .masked = up});
  from.send(stream);
  flow.pump();
  CHECK_FALSE((up ? flow.reads_client() : flow.reads_backend()));
  CHECK((up ? flow.reads_backend() : flow.reads_client()));
  std::size_t held = up ? flow.held_for_backend() : flow.held_for_client();
  CHECK(held > 0);
  CHECK(held <= conf::bounds::kLaneMemory);
  CHECK(from.unsent() > 0);

  // The other direction does not care.
  to.text("still here");
  flow.pump();
  CHECK(from.frames().back() == Seen{1, "still here"});

  to.stop_reading(false);
  flow.pump();
  CHECK(to.received() == stream);
  CHECK(flow.reads_client());
  CHECK(flow.reads_backend());
  CHECK(flow.held_for_backend() + flow.held_for_client() == 0);
}

TEST_CASE("relay: over real TCP too", "[flow][relay]") {
  Flow flow(unlimited(), {.tcp = true});
  flow.start();
  flow.client->text("to the backend");
  flow.backend->text("to the client");
  while (flow.backend->received().empty() || flow.client->received().empty()) {
    flow.loop.turn(true);
    flow.client->pump();
    flow.backend->pump();
  }
  CHECK(flow.backend->frames() == std::vector<Seen>{{1, "to the backend"}});
  CHECK(flow.client->frames() == std::vector<Seen>{{1, "to the client"}});
}

}  // namespace fairlead::test
