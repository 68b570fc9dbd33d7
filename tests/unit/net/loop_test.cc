#include "proxy/net/loop.h"

#include <event2/event.h>
#include <sys/time.h>

#include <csignal>

#include <functional>
#include <thread>

#include "tests/support/catch.h"
#include "tests/support/socket_pair.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

struct OnTimer final : Timer::Handler {
  explicit OnTimer(std::function<void(Timer&)> f) : call(std::move(f)) {}

  void on_timer(Timer& timer) override { call(timer); }

  std::function<void(Timer&)> call;
};

// Without sleeping: the clock itself has to go on.
void wait_until(TimePoint when) {
  while (Clock::now() < when) std::this_thread::yield();
}

}  // namespace

TEST_CASE("loop: a timer fires when nothing but time passes", "[net][loop]") {
  Loop loop;
  int fired = 0;
  OnTimer handler([&](Timer&) { ++fired; });
  Timer timer(loop.timers(), handler);
  TimePoint deadline = loop.now() + 10ms;
  timer.arm(deadline);
  int turns = 0;
  while (fired == 0) {
    loop.turn(true);
    REQUIRE(++turns < 50);  // it waits, it does not spin
  }
  CHECK(Clock::now() >= deadline);
  CHECK(Clock::now() < deadline + 5s);
}

// A signal comes while the loop waits, and what it interrupts takes until the timer is due; then
// epoll tells of nothing, though a byte has come.
TEST_CASE("loop: what waits in a socket is read before a timer that is due fires", "[net][loop]") {
  static int far = -1;
  static TimePoint due;
  Loop loop;
  test::SocketPair pair = test::make_pair();
  far = pair.far;
  std::string order;
  OnTimer handler([&](Timer&) { order += "timer "; });
  Timer timer(loop.timers(), handler);
  const auto on_byte = [](evutil_socket_t fd, short, void* text) {
    char byte = 0;
    if (recv(fd, &byte, 1, 0) == 1) *static_cast<std::string*>(text) += "byte ";
  };
  event* readable = event_new(loop.base(), pair.near, EV_READ | EV_PERSIST, on_byte, &order);
  event_add(readable, nullptr);
  due = loop.now() + 60ms;
  timer.arm(due);

  struct sigaction action {
  }, before{};

  action.sa_handler = [](int) {
    while (Clock::now() < due + 2 * TimerWheel::kTick) {
    }
    [[maybe_unused]] const ssize_t n = ::write(far, "x", 1);
  };
  sigaction(SIGALRM, &action, &before);
  itimerval soon{{}, {0, 20'000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  while (order.find("timer") == std::string::npos) loop.turn(true);
  CHECK(order == "byte timer ");
  sigaction(SIGALRM, &before, nullptr);
  event_free(readable);
  ::close(pair.near);
  ::close(pair.far);
}

TEST_CASE("loop: many short timers fire in order and none early", "[net][loop]") {
  Loop loop;
  std::vector<int> order;
  std::vector<std::unique_ptr<OnTimer>> handlers;
  std::vector<std::unique_ptr<Timer>> timers;
  TimePoint start = loop.now();
  bool early = false;
  for (int i = 0; i < 10; ++i) {
    handlers.push_back(std::make_unique<OnTimer>([&, i](Timer&) {
      order.push_back(i);
      early = early || Clock::now() < start + i * 5ms;
    }));
    timers.push_back(std::make_unique<Timer>(loop.timers(), *handlers.back()));
    timers.back()->arm(start + i * 5ms);
  }
  while (order.size() < 10) loop.turn(true);
  CHECK_FALSE(early);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("loop: a wake-up for another reason does not lose the timer", "[net][loop]") {
  Loop loop;
  test::SocketPair pair = test::make_pair();
  int fired = 0;
  OnTimer handler([&](Timer&) { ++fired; });
  Timer timer(loop.timers(), handler);
  timer.arm(loop.now() + 20ms);
  int bytes = 0;

  struct Context {
    int& bytes;
    int far;
  } context{bytes, pair.far};

  event* readable = event_new(
      loop.base(), pair.near, EV_READ | EV_PERSIST,
      [](evutil_socket_t fd, short, void* raw) {
        auto& c = *static_cast<Context*>(raw);
        char byte = 0;
        if (recv(fd, &byte, 1, 0) == 1 && ++c.bytes < 100) send(c.far, "x", 1, 0);
      },
      &context);
  event_add(readable, nullptr);
  send(pair.far, "x", 1, 0);
  while (fired == 0) loop.turn(true);
  CHECK(bytes > 0);
  event_free(readable);
  ::close(pair.near);
  ::close(pair.far);
}

TEST_CASE("loop: the clock that a test advances fires what is due, without waiting",
          "[net][loop]") {
  Loop loop;
  int fired = 0;
  OnTimer handler([&](Timer& timer) {
    ++fired;
    timer.arm(loop.now() + 1h);
  });
  Timer timer(loop.timers(), handler);
  timer.arm(loop.now() + 1h);
  loop.turn(false);
  CHECK(fired == 0);
  for (int i = 1; i <= 5; ++i) {
    loop.advance_clock(1h + 8ms);
    loop.turn(false);
    CHECK(fired == i);
  }
}

TEST_CASE("loop: a handler of the first turn sees the time of its event, not of the loop's making",
          "[net][loop]") {
  Loop loop;
  test::SocketPair pair = test::make_pair();
  TimePoint seen;

  struct Context {
    Loop& loop;
    TimePoint& seen;
  } context{loop, seen};

  event* readable = event_new(
      loop.base(), pair.near, EV_READ,
      [](evutil_socket_t, short, void* raw) {
        auto& c = *static_cast<Context*>(raw);
        c.seen = c.loop.now();
      },
      &context);
  event_add(readable, nullptr);
  const TimePoint later = loop.now() + 3ms;
  wait_until(later);
  send(pair.far, "x", 1, 0);
  loop.turn(true);
  CHECK(seen >= later);
  event_free(readable);
  ::close(pair.near);
  ::close(pair.far);
}

TEST_CASE("loop: now() stays the same within a turn", "[net][loop]") {
  Loop loop;
  bool same = false;
  OnTimer handler([&](Timer&) {
    TimePoint first = loop.now();
    wait_until(Clock::now() + 1ms);
    same = loop.now() == first;
  });
  Timer timer(loop.timers(), handler);
  timer.arm(loop.now());
  loop.advance_clock(10ms);
  loop.turn(false);
  CHECK(same);
}

TEST_CASE("loop: the hook runs once after each turn", "[net][loop]") {
  Loop loop;
  int hooks = 0;
  loop.on_turn_end([&] { ++hooks; });
  for (int i = 1; i <= 3; ++i) {
    loop.turn(false);
    CHECK(hooks == i);
  }
}

TEST_CASE("loop: a turn that is to come at once does not wait for events", "[net][loop]") {
  Loop loop;
  int turns = 0;
  loop.on_turn_end([&] {
    if (++turns < 3) loop.turn_again();
    if (turns == 3) loop.stop();
  });
  loop.turn_again();
  loop.run();  // nothing else would ever wake it
  CHECK(turns == 3);
}

TEST_CASE("loop: stop() from a handler ends run(), which may begin again", "[net][loop]") {
  Loop loop;
  OnTimer handler([&](Timer&) { loop.stop(); });
  Timer timer(loop.timers(), handler);
  for (int i = 0; i < 2; ++i) {
    timer.arm(loop.now() + 1ms);
    loop.run();
    CHECK_FALSE(timer.armed());
  }
}

TEST_CASE("loop: knows its thread", "[net][loop]") {
  Loop loop;
  CHECK(loop.in_thread());
  bool other = true;
  std::thread([&] { other = loop.in_thread(); }).join();
  CHECK_FALSE(other);
}

}  // namespace fairlead::net
