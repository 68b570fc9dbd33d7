// Which servers a pool may pick, whatever the policy.

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "proxy/balance/pool.h"
#include "tests/support/catch.h"
#include "tests/unit/balance/pools.h"

namespace fairlead::balance {
namespace {

using std::chrono::milliseconds;
using test::backend;
using test::kStart;
using test::pick;
using test::sessions;

}  // namespace

TEST_CASE("pool: whatever fails, half of the servers stay in", "[balance][pool]") {
  const auto pool = Pool::make(backend({1, 1, 1, 1}));
  for (std::size_t i = 0; i < 4; ++i) pool->failed(i, kStart + milliseconds(i));
  std::vector<Lease> held;
  for (int i = 0; i < 8; ++i) held.push_back(pick(*pool, kStart + milliseconds(10)));
  std::vector<std::uint32_t> counts;
  for (std::size_t i = 0; i < 4; ++i) counts.push_back(sessions(*pool, i));
  std::sort(counts.begin(), counts.end());
  CHECK(counts == std::vector<std::uint32_t>{0, 0, 4, 4});
}

TEST_CASE("pool: a server that is not ready or not up gets nothing, bound to it or not",
          "[balance][pool]") {
  auto from = backend({1, 1}, conf::Backend::Balance::hash);
  from.hash_key = {conf::HashKey::Kind::path, ""};
  const auto pool = Pool::make(from);
  const auto all_go_to_0 = [&] {
    for (std::uint64_t key = 0; key < 50; ++key) {
      if (pool->pick({1, key * 0x9e3779b97f4a7c15ULL}, {}, kStart).index() != 0) return false;
    }
    return true;
  };
  CHECK_FALSE(all_go_to_0());
  for (const auto state : {AdminState::drain, AdminState::down}) {
    pool->server(1).admin = state;
    CHECK(all_go_to_0());
    // Not even as the last resort: somebody knows that it is not to be used.
    CHECK_FALSE(pool->pick(1, {0}, kStart));
    pool->failed(1, kStart);
    CHECK_FALSE(pool->pick(1, {0}, kStart));
    pool->succeeded(1);
  }
  pool->server(1).admin = AdminState::ready;
  pool->set_up(1, false);
  CHECK(all_go_to_0());
  const Lease none = pool->pick(1, {0}, kStart);
  CHECK_FALSE(none);
  CHECK_FALSE(none.full());
  pool->set_up(0, false);
  CHECK_FALSE(pick(*pool, kStart));
  pool->set_up(1, true);
  CHECK(pick(*pool, kStart).index() == 1);
}

TEST_CASE("pool: the checks' verdict is newer than what failed before", "[balance][pool]") {
  const auto pool = Pool::make(backend({1, 1}));
  pool->failed(0, kStart);
  CHECK(pool->pick(0, {}, kStart).index() == 1);
  pool->set_up(0, false);
  pool->set_up(0, true);
  CHECK(pool->pick(0, {}, kStart).index() == 0);
}

TEST_CASE("pool: a full server is passed over, and all full is told apart", "[balance][pool]") {
  auto from = backend({1, 1});
  from.servers[0].max_sessions = 2;
  from.servers[1].max_sessions = 3;
  const auto pool = Pool::make(from);
  std::vector<Lease> held;
  for (int i = 0; i < 5; ++i) {
    held.push_back(pool->pick(0, {}, kStart));
    REQUIRE(held.back());
  }
  CHECK(sessions(*pool, 0) == 2);
  CHECK(sessions(*pool, 1) == 3);
  Lease none = pick(*pool, kStart);
  CHECK_FALSE(none);
  CHECK(none.full());
  CHECK(Lease(std::move(none)).full());
  SECTION("one ends: one begins") {
    held[0].reset();
    CHECK(pick(*pool, kStart).index() == 0);
    held[4].reset();
    CHECK(pool->pick(1, {}, kStart).index() == 1);
  }
  SECTION("what was tried is not called full") {
    CHECK_FALSE(pool->pick(kNoServer, {0, 1}, kStart).full());
    pool->set_up(1, false);
    CHECK(pick(*pool, kStart).full());
    CHECK_FALSE(pool->pick(kNoServer, {0}, kStart).full());
  }
}

TEST_CASE("pool: several threads never pass max_sessions", "[balance][pool]") {
  constexpr std::uint32_t kMost = 50;
  auto from = backend({1, 1});
  for (auto& server : from.servers) server.max_sessions = kMost;
  const auto pool = Pool::make(from);
  std::atomic<int> refused{0};
  std::atomic<bool> over{false};
  // So many that a thread that runs alone comes to the limit, too.
  std::vector<Lease> taken;
  for (int i = 0; i < 70; ++i) taken.push_back(pick(*pool, kStart));
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    std::vector<Lease> held;
    for (int i = 0; i < 20'000; ++i) {
      Lease lease = pick(*pool, kStart);
      if (sessions(*pool, 0) > kMost || sessions(*pool, 1) > kMost) over = true;
      if (lease) {
        held.push_back(std::move(lease));
      } else {
        ++refused;
      }
      if (!held.empty() && (held.size() > 40 || random() % 3 == 0)) held.pop_back();
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
  CHECK_FALSE(over);
  CHECK(refused > 0);
  taken.clear();
  CHECK(sessions(*pool, 0) + sessions(*pool, 1) == 0);
}

TEST_CASE("pool: a server's last place goes to one of those who come at once", "[balance][pool]") {
  PoolServer server;
  std::atomic<std::uint32_t> entered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) entered += server.enter(1000) ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(entered == 1000);
  CHECK(server.sessions == 1000);
}

TEST_CASE("pool: backups only while no other server can", "[balance][pool]") {
  auto from = backend({1, 1, 1, 1});
  from.servers[2].backup = true;
  from.servers[3].backup = true;
  from.servers[0].max_sessions = 100;
  const auto pool = Pool::make(from);
  std::vector<Lease> held;
  const auto open = [&](int n) {
    for (int i = 0; i < n; ++i) held.push_back(pick(*pool, kStart));
  };
  open(10);
  CHECK(sessions(*pool, 2) + sessions(*pool, 3) == 0);
  SECTION("all others are down, or full: backups share by the policy") {
    pool->set_up(1, false);
    open(95);
    CHECK(sessions(*pool, 0) == 100);
    open(10);
    CHECK(sessions(*pool, 2) + sessions(*pool, 3) == 10);
    CHECK(sessions(*pool, 2) == 5);
    pool->set_up(1, true);
    CHECK(pick(*pool, kStart).index() == 1);
    // Who is bound to a backup stays there.
    CHECK(pool->pick(2, {}, kStart).index() == 2);
  }
  SECTION("all others are ejected: backups before the last resort") {
    pool->failed(0, kStart);
    pool->failed(1, kStart);
    CHECK(pick(*pool, kStart).index() >= 2);
    CHECK(pool->pick(kNoServer, {2, 3}, kStart).index() < 2);
  }
  SECTION("all others were tried") {
    CHECK(pool->pick(kNoServer, {0, 1}, kStart).index() >= 2);
  }
  SECTION("a backup that is down is none") {
    pool->set_up(0, false);
    pool->set_up(1, false);
    pool->set_up(2, false);
    CHECK(pick(*pool, kStart).index() == 3);
    pool->server(3).admin = AdminState::drain;
    CHECK_FALSE(pick(*pool, kStart));
  }
}

TEST_CASE("pool: slow start gives a server that came up its turns, not all", "[balance][pool]") {
  auto from = backend({1, 1, 1, 1});
  from.slow_start = 20;
  const auto pool = Pool::make(from);
  std::vector<Lease> held;
  const auto open = [&](int n) {
    for (int i = 0; i < n; ++i) held.push_back(pick(*pool, kStart));
  };
  open(40);  // all begin together: nobody starts slowly
  for (std::size_t i = 0; i < 4; ++i) CHECK(sessions(*pool, i) == 10);
  pool->set_up(3, false);
  held.erase(std::remove_if(held.begin(), held.end(),
                            [](const Lease& lease) { return lease.index() == 3; }),
             held.end());
  open(270);
  CHECK(sessions(*pool, 0) == 100);
  pool->set_up(3, true);
  for (int i = 1; i <= 20; ++i) {
    open(4);
    CHECK(sessions(*pool, 3) == static_cast<std::uint32_t>(i));
  }
  // Warm: now it gets all until it has as many as the others.
  open(100);
  CHECK(sessions(*pool, 3) == 120);
  open(5);
  CHECK(sessions(*pool, 3) < 125);
}

TEST_CASE("pool: slow start is over with a fair share, and no matter of cookies",
          "[balance][pool]") {
  auto from = backend({1, 1});
  from.slow_start = 1000;
  const auto pool = Pool::make(from);
  std::vector<Lease> held;
  held.push_back(pool->pick(0, {}, kStart));
  pool->set_up(1, false);
  pool->set_up(1, true);
  held.push_back(pool->pick(1, {}, kStart));  // bound to it: its turn or not
  CHECK(sessions(*pool, 1) == 1);
  CHECK(pool->server(1).warming);
  held.push_back(pick(*pool, kStart));
  CHECK_FALSE(pool->server(1).warming);
}

}  // namespace fairlead::balance
