// Large frames between plain sockets pass through a pipe: the same bytes, rules, bounds and endings
// as on the path that copies.

#include <vector>

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

constexpr std::size_t kBig = 700'000;

conf::Route unlimited() {
  conf::Route route;
  route.websocket.max_message.reset();
  return route;
}

std::string frame(std::size_t size, bool masked, bool fin = true, unsigned opcode = 2) {
  return make({.opcode = opcode, .payload = std::string(size, 'm'), .masked = masked, .fin = fin});
}

// A session that has just carried a large frame from one of its ends.
struct Bulk {
  explicit Bulk(bool up, const conf::Route& route = unlimited(), const FlowOptions& options = {})
      : flow(route, options),
        from(up ? *flow.client : *flow.backend),
        to(up ? *flow.backend : *flow.client),
        masked(up) {
    flow.start();
    from.send(frame(kBig, masked));
    flow.pump();
    REQUIRE(to.take() == frame(kBig, masked));
    REQUIRE(flow.loop.pipes().kept() > 0);  // it was spliced indeed
  }

  Flow flow;
  FarEnd& from;
  FarEnd& to;
  bool masked;
};

}  // namespace

TEST_CASE("splice: large and small frames, fragments and pings keep their order",
          "[flow][splice]") {
  const bool up = GENERATE(true, false);
  const int buffer = GENERATE(0, 16 * 1024);
  Flow flow(unlimited(), {.buffer = buffer});
  flow.start();
  std::string stream;
  for (std::size_t size : {100UL, 65'536UL, 65'536UL, 70'000UL, 125UL, 1'048'576UL, 49'151UL,
                           49'152UL, 3'000'000UL, 0UL, 200'000UL}) {
    stream += frame(size, up);
    stream += frame(4, up, true, 9);
  }
  stream += frame(300'000, up, false) + frame(8, up, true, 10) + frame(300'000, up, true, 0);
  FarEnd& from = up ? *flow.client : *flow.backend;
  FarEnd& to = up ? *flow.backend : *flow.client;
  from.send(stream);
  flow.pump();
  CHECK(to.received() == stream);
  if (buffer == 0) CHECK(flow.loop.pipes().kept() > 0);  // small pieces are not worth it
  CHECK(flow.held_for_backend() + flow.held_for_client() == 0);
}

TEST_CASE("splice: a header cut anywhere behind a large frame", "[flow][splice]") {
  const bool up = GENERATE(true, false);
  for (std::size_t size : {10UL, 130UL, 60'000UL, 300'000UL}) {
    Bulk bulk(up);
    const std::string next = frame(size, up);
    for (std::size_t cut = 1; cut <= 20 && cut < next.size(); ++cut) {
      bulk.from.send(std::string_view(next).substr(0, cut));
      bulk.flow.turn();
      bulk.from.send(std::string_view(next).substr(cut));
      bulk.flow.pump();
      CAPTURE(size, cut);
      REQUIRE(bulk.to.take() == next);
    }
  }
}

TEST_CASE("splice: a reader that stops bounds what is held, and all arrives when it goes on",
          "[flow][splice]") {
  const bool up = GENERATE(true, false);
  Bulk bulk(up);
  bulk.to.stop_reading(true);
  std::string stream;
  for (int i = 0; i < 5; ++i) stream += frame(kBig, up);
  bulk.from.send(stream);
  bulk.flow.pump();
  std::size_t held = up ? bulk.flow.held_for_backend() : bulk.flow.held_for_client();
  CHECK(held > 0);
  CHECK(held <= conf::bounds::kLaneMemory);
  CHECK_FALSE((up ? bulk.flow.reads_client() : bulk.flow.reads_backend()));
  bulk.to.stop_reading(false);
  bulk.flow.pump();
  CHECK(bulk.to.received() == stream);
}

TEST_CASE("splice: a reader that takes nothing for write_stall is closed", "[flow][splice]") {
  Bulk bulk(false);
  bulk.to.stop_reading(true);
  for (int i = 0; i < 5; ++i) bulk.from.send(frame(kBig, false));
  bulk.flow.pump();
  bulk.flow.walk(std::chrono::seconds(34));
  bulk.flow.pass(std::chrono::seconds(10)).pump();
  CHECK_FALSE(bulk.flow.alive());
  CHECK(bulk.flow.close_lines() == 1);
  CHECK(bulk.flow.loop.pipes().used() == 0);
}

TEST_CASE("splice: rules and limits are those of the other path", "[flow][splice]") {
  SECTION("a reserved bit in a large frame's header") {
    Bulk bulk(true);
    bulk.from.send(
        make({.opcode = 2, .payload = std::string(kBig, 'x'), .masked = true, .rsv = 2}));
    bulk.flow.pump();
    CHECK(bulk.from.close_code() == 1002);
    CHECK(bulk.to.close_code() == 1001);
  }
  SECTION("a message one byte too long: not a byte of it passes") {
    conf::Route route;
    route.websocket.max_message = kBig;
    Bulk bulk(true, route);
    bulk.from.send(frame(kBig + 1, true));
    bulk.flow.pump();
    CHECK(bulk.from.close_code() == 1009);
    CHECK(bulk.to.close_code() == 1009);
    CHECK(bulk.to.frames().size() == 1);  // the Close
  }
  SECTION("messages a second: a large one waits as a small one does") {
    conf::Route route = unlimited();
    route.limits.messages = conf::Rate{1, 1};
    Bulk bulk(true, route);
    bulk.from.send(frame(kBig, true));
    bulk.flow.pump();
    CHECK(bulk.to.received() == "");
    bulk.flow.pass(std::chrono::milliseconds(1100)).pump();
    CHECK(bulk.to.received() == frame(kBig, true));
  }
}

TEST_CASE("splice: a drain lets the frame under way end, then closes", "[flow][splice]") {
  Bulk bulk(false);
  const std::string stream = frame(kBig, false);
  bulk.from.send(std::string_view(stream).substr(0, kBig / 2));
  bulk.flow.pump();
  bulk.flow.tunnel->drain(bulk.flow.loop.now() + std::chrono::seconds(30));
  bulk.flow.pump();
  bulk.from.send(std::string_view(stream).substr(kBig / 2));
  bulk.flow.pump();
  CHECK(bulk.to.received().substr(0, stream.size()) == stream);
  CHECK(bulk.to.close_code() == 1001);
}

TEST_CASE("splice: an end that vanishes with bytes in the pipe ends the session once",
          "[flow][splice]") {
  const bool reader = GENERATE(true, false);
  const bool abrupt = GENERATE(true, false);
  Bulk bulk(false);
  bulk.to.stop_reading(true);
  for (int i = 0; i < 5; ++i) bulk.from.send(frame(kBig, false));
  bulk.flow.pump();
  FarEnd& gone = reader ? bulk.to : bulk.from;
  if (abrupt) {
    gone.reset();
  } else {
    gone.close();
  }
  bulk.flow.pump();
  for (int i = 0; i < 10 && bulk.flow.alive(); ++i) bulk.flow.pass(std::chrono::seconds(31)).pump();
  CHECK_FALSE(bulk.flow.alive());
  CHECK(bulk.flow.close_lines() == 1);
  CHECK(bulk.flow.loop.pipes().used() == 0);
}

TEST_CASE("splice: without a pipe left it is copied", "[flow][splice]") {
  Bulk bulk(true);
  std::vector<net::Pipe> all;
  while (all.size() < net::PipePool::kMost) all.push_back(bulk.flow.loop.pipes().take());
  REQUIRE_FALSE(bulk.flow.loop.pipes().take());
  const std::string stream = frame(kBig, true) + frame(3, true) + frame(kBig, true);
  bulk.from.send(stream);
  bulk.flow.pump();
  CHECK(bulk.to.received() == stream);
}

TEST_CASE("splice: what passed is counted", "[flow][splice]") {
  Bulk bulk(true);
  bulk.from.send(frame(kBig, true) + frame(5, true));
  bulk.from.close_frame(1000);
  bulk.flow.pump();
  bulk.to.close_frame(1000);
  bulk.flow.pump();
  CHECK(bulk.flow.logged("msgs_in", "3"));
  CHECK(bulk.flow.logged("bytes_in", std::to_string(2 * kBig + 5)));
}

}  // namespace fairlead::test
