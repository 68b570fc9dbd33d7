#include "proxy/edge/live_feed.h"

#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

struct Watcher final : observe::EventStream {
  bool send(std::string_view event) override {
    if (here) got += event;
    return here;
  }

  void on_end(std::function<void()>) override {}

  void end() override {}

  bool here = true;
  std::string got;
};

struct Rig {
  void second() {
    loop.advance_clock(LiveFeed::kInterval + conf::Millis{10});
    for (int i = 0; i < 3; ++i) loop.turn(false);
  }

  net::Loop loop;
  net::Mailbox mailbox{loop};
  Shared shared;
  int ticks = 0;
  LiveFeed feed{loop, mailbox, shared, [this] { return std::to_string(++ticks); }};
};

}  // namespace

TEST_CASE("live feed: a tick is made once for all who look", "[edge][live]") {
  Rig rig;
  const auto one = std::make_shared<Watcher>();
  const auto two = std::make_shared<Watcher>();
  rig.feed.join(one);
  CHECK(one->got == "event: tick\ndata: 1\n\n");
  rig.feed.join(two);
  CHECK(two->got == "event: tick\ndata: 2\n\n");
  rig.second();
  rig.second();
  CHECK(rig.ticks == 4);
  CHECK(one->got == "event: tick\ndata: 1\n\nevent: tick\ndata: 3\n\nevent: tick\ndata: 4\n\n");
  CHECK(two->got == "event: tick\ndata: 2\n\nevent: tick\ndata: 3\n\nevent: tick\ndata: 4\n\n");
}

TEST_CASE("live feed: nothing is made while nobody looks", "[edge][live]") {
  Rig rig;
  rig.second();
  CHECK(rig.ticks == 0);
  const auto one = std::make_shared<Watcher>();
  rig.feed.join(one);
  rig.second();
  CHECK(rig.ticks == 2);
  one->here = false;
  for (int i = 0; i < 5; ++i) rig.second();
  CHECK(rig.ticks == 2);
  CHECK(one.use_count() == 1);
  one->here = true;  // it looks again
  rig.feed.join(one);
  rig.second();
  CHECK(rig.ticks == 4);
}

}  // namespace fairlead::edge
