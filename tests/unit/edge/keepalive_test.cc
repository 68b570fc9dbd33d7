#include "proxy/edge/keepalive.h"

#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

using namespace std::chrono_literals;
using Action = KeepaliveStep::Action;

constexpr int kNever = -1;
const KeepaliveSettings kSettings{conf::Millis{20'000}, conf::Millis{10'000}};

TimePoint at(int second) {
  return TimePoint{std::chrono::hours(1)} + std::chrono::seconds(second);
}

}  // namespace

TEST_CASE("keepalive: silence leads to a ping, then to giving up", "[edge][keepalive]") {
  struct Row {
    const char* why;
    int now;
    int heard;
    int pinged;  // kNever: none waits
    Action want;
    int next;
  };

  const auto row = GENERATE(values<Row>({
      {"fresh", 0, 0, kNever, Action::none, 20},
      {"heard a while ago", 15, 0, kNever, Action::none, 20},
      {"a moment before the interval", 19, 0, kNever, Action::none, 20},
      {"at the interval", 20, 0, kNever, Action::ping, 30},
      {"long after it", 100, 0, kNever, Action::ping, 110},
      {"pinged just now", 20, 0, 20, Action::none, 30},
      {"waiting", 29, 0, 20, Action::none, 30},
      {"no pong in time", 30, 0, 20, Action::dead, 0},
      {"no pong long after", 300, 0, 20, Action::dead, 0},
      {"heard after the ping", 30, 21, 20, Action::none, 41},
      {"heard after the ping, then silent", 41, 21, 20, Action::ping, 51},
      {"heard in the ping's moment", 30, 20, 20, Action::none, 40},
  }));
  CAPTURE(row.why);
  const KeepaliveState state{at(row.heard), at(row.pinged), row.pinged != kNever};
  const KeepaliveStep step = keepalive(kSettings, state, at(row.now));
  CHECK((step.action == row.want));
  if (row.want != Action::dead) CHECK((step.next == at(row.next)));
}

TEST_CASE("keepalive: off does nothing, ever", "[edge][keepalive]") {
  const KeepaliveSettings off{std::nullopt, conf::Millis{10'000}};
  for (bool waiting : {false, true}) {
    const KeepaliveStep step = keepalive(off, {at(0), at(10), waiting}, at(1'000'000));
    CHECK((step.action == Action::none));
    CHECK((step.next == TimePoint::max()));
  }
}

TEST_CASE("keepalive: asking at each `next` pings and gives up in time", "[edge][keepalive]") {
  KeepaliveState state{at(0), at(0), false};
  TimePoint now = at(0);
  int asked = 0;
  KeepaliveStep step;
  while ((step = keepalive(kSettings, state, now)).action != Action::dead) {
    if (step.action == Action::ping) {
      state.pinged = now;
      state.waiting = true;
    }
    REQUIRE((step.next > now));
    now = step.next;
    REQUIRE(++asked < 10);
  }
  CHECK((now == at(30)));
}

}  // namespace fairlead::edge
