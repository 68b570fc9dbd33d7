#include "proxy/rules/minimum_rate.h"

#include "proxy/rules/half_close.h"
#include "tests/support/catch.h"

namespace fairlead::rules {
namespace {

using namespace std::chrono_literals;
using Clock = MinimumRate::Clock;

const Clock::time_point kStart{std::chrono::hours(1000)};

}  // namespace

TEST_CASE("minimum rate: nothing for 20 s is too slow, and nobody is judged before",
          "[rules][minimum_rate]") {
  MinimumRate rate;
  CHECK(rate.due() == Clock::time_point::max());
  rate.wait(kStart);
  CHECK(rate.due() == kStart + 20s);
  rate.wait(kStart + 10s);  // it is waited for already
  CHECK(rate.due() == kStart + 20s);
}

TEST_CASE("minimum rate: who trickles is too slow soon after the 20 s", "[rules][minimum_rate]") {
  MinimumRate rate;
  rate.wait(kStart);
  Clock::time_point now = kStart;
  // 8 bytes every 3 s, at 500 B/s.
  while (now < rate.due()) {
    now += 3s;
    rate.moved(8, 500, now);
  }
  CHECK(now == kStart + 21s);
}

TEST_CASE("minimum rate: who keeps it may go on for ever", "[rules][minimum_rate]") {
  MinimumRate rate;
  rate.wait(kStart);
  Clock::time_point now = kStart;
  for (int i = 0; i < 1000; ++i) {
    now += 10s;
    REQUIRE(now < rate.due());
    rate.moved(5000, 500, now);
  }
  CHECK(rate.due() == now + 20s);
}

TEST_CASE("minimum rate: a burst earns a minute, no more", "[rules][minimum_rate]") {
  MinimumRate rate;
  rate.wait(kStart);
  rate.moved(UINT64_MAX, 500, kStart);
  CHECK(rate.due() == kStart + 60s);
  rate.moved(1'000'000, 0.001, kStart + 30s);
  CHECK(rate.due() == kStart + 90s);
}

TEST_CASE("minimum rate: time in which others held it up does not count", "[rules][minimum_rate]") {
  MinimumRate rate;
  rate.wait(kStart);
  rate.pause(kStart + 15s);
  CHECK(rate.due() == Clock::time_point::max());
  rate.pause(kStart + 100s);
  rate.wait(kStart + 500s);
  CHECK(rate.due() == kStart + 505s);
}

TEST_CASE("half-close: a FIN with the request waits for the answer, a late one does not",
          "[rules][half_close]") {
  HalfClose client;
  client.request_complete = true;
  CHECK(still_waits(client));
  client.since_request = kHalfCloseWithin;
  CHECK(still_waits(client));
  SECTION("late") {
    client.since_request += conf::Millis{1};
  }
  SECTION("a handshake") {
    client.websocket = true;
  }
  SECTION("in the middle of its body") {
    client.request_complete = false;
  }
  SECTION("within an event stream") {
    client.endless_answer = true;
  }
  CHECK_FALSE(still_waits(client));
}

}  // namespace fairlead::rules
