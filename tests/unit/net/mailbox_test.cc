#include "proxy/net/mailbox.h"

#include <csignal>
#include <thread>

#include "tests/support/catch.h"

namespace fairlead::net {

TEST_CASE("mailbox: what is posted runs in the loop's thread, in order", "[net][mailbox]") {
  Loop loop;
  Mailbox mailbox(loop);
  std::vector<int> ran;
  for (int i = 0; i < 5; ++i) {
    mailbox.post([&ran, &loop, i] {
      REQUIRE(loop.in_thread());
      ran.push_back(i);
    });
  }
  CHECK(ran.empty());
  loop.turn(true);
  CHECK(ran == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("mailbox: several threads lose nothing and keep each one's order", "[net][mailbox]") {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  Loop loop;
  Mailbox mailbox(loop);
  std::vector<std::vector<int>> ran(kThreads);
  int total = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        mailbox.post([&, t, i] {
          ran[static_cast<std::size_t>(t)].push_back(i);
          if (++total == kThreads * kEach) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  for (auto& numbers : ran) {
    CHECK(numbers.size() == kEach);
    CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  }
}

TEST_CASE("mailbox: work may post more work", "[net][mailbox]") {
  Loop loop;
  Mailbox mailbox(loop);
  int depth = 0;
  std::function<void()> work = [&] {
    if (++depth < 10) mailbox.post(work);
  };
  mailbox.post(work);
  for (int i = 0; i < 20 && depth < 10; ++i) loop.turn(false);
  CHECK(depth == 10);
}

TEST_CASE("mailbox: a mailbox that goes drops its work unrun", "[net][mailbox]") {
  Loop loop;
  auto held = std::make_shared<int>(1);
  {
    Mailbox mailbox(loop);
    mailbox.post([held] { ++*held; });
    CHECK(held.use_count() == 2);
  }
  loop.turn(false);
  CHECK(*held == 1);
  CHECK(held.use_count() == 1);
}

TEST_CASE("mailbox: signals come as calls in the loop's thread", "[net][mailbox]") {
  Loop loop;
  std::vector<int> got;
  Signals signals(loop, {SIGUSR1, SIGUSR2}, [&](int number) { got.push_back(number); });
  raise(SIGUSR2);
  loop.turn(true);
  raise(SIGUSR1);
  loop.turn(true);
  CHECK(got == std::vector<int>{SIGUSR2, SIGUSR1});
}

}  // namespace fairlead::net
