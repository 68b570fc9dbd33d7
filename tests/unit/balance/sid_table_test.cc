#include "proxy/balance/sid_table.h"

#include <thread>
#include <vector>

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Clock::time_point kStart{std::chrono::hours(1000)};
constexpr milliseconds kTick{1};

std::string sid(int i) {
  return "sid-" + std::to_string(i);
}

}  // namespace

TEST_CASE("sid table: what was learned is found, nothing else", "[balance][sid_table]") {
  SidTable table;
  CHECK_FALSE(table.use("abc", kStart));
  table.learn("abc", 7, kStart);
  table.learn("abd", 8, kStart);
  CHECK(table.use("abc", kStart) == 7u);
  CHECK(table.use("abd", kStart) == 8u);
  CHECK_FALSE(table.use("ab", kStart));
  CHECK_FALSE(table.use("", kStart));
  CHECK(table.entries() == 2);
}

TEST_CASE("sid table: a sid stays where it is", "[balance][sid_table]") {
  SidTable table;
  table.learn("abc", 7, kStart);
  table.learn("abc", 8, kStart);
  CHECK(table.use("abc", kStart) == 7u);
  table.learn("abc", 8, kStart);
  CHECK(table.use("abc", kStart) == 7u);
  // Once it has expired it may be somebody else's.
  const auto later = kStart + SidTable::kAfterUse;
  table.learn("abc", 8, later);
  CHECK(table.use("abc", later) == 8u);
  CHECK(table.entries() == 1);
}

TEST_CASE("sid table: a minute until it is used, five after each use", "[balance][sid_table]") {
  SidTable table;
  table.learn("a", 1, kStart);
  table.learn("b", 2, kStart);
  auto now = kStart + SidTable::kUntilUsed - kTick;
  CHECK(table.use("a", now) == 1u);
  now += kTick;
  CHECK_FALSE(table.use("b", now));
  for (int i = 0; i < 3; ++i) {
    now += SidTable::kAfterUse - seconds(1);
    CHECK(table.use("a", now) == 1u);
  }
  now += SidTable::kAfterUse;
  CHECK_FALSE(table.use("a", now));
}

TEST_CASE("sid table: full, it refuses new ones and turns nobody out", "[balance][sid_table]") {
  constexpr int kMany = 20'000;
  SidTable table(640);
  for (int i = 0; i < kMany; ++i) table.learn(sid(i), 1, kStart);
  CHECK(table.entries() == 640);
  std::vector<std::string> known;
  for (int i = 0; i < kMany; ++i) {
    if (i < 640 / 2 && table.use(sid(i), kStart)) known.push_back(sid(i));
  }
  CHECK(known.size() > 200);
  // Those in use live on through a flood; the others make room after a minute.
  for (int minute = 1; minute <= 10; ++minute) {
    const auto now = kStart + minute * SidTable::kUntilUsed;
    for (int i = 0; i < kMany; ++i) table.learn(sid(minute * kMany + i), 2, now);
    CHECK(table.entries() <= 640);
    for (const auto& one : known) REQUIRE(table.use(one, now) == 1u);
  }
  const auto last = kStart + 10 * SidTable::kUntilUsed;
  int fresh = 0;
  for (int i = 0; i < kMany; ++i) fresh += table.use(sid(10 * kMany + i), last) ? 1 : 0;
  CHECK(fresh == 640 - static_cast<int>(known.size()));
}

TEST_CASE("sid table: expired ones do not pile up", "[balance][sid_table]") {
  SidTable table;
  for (int i = 0; i < 10'000; ++i) {
    table.learn(sid(i), 1, kStart + seconds(i));
    if (i % 2 == 0) table.use(sid(i), kStart + seconds(i));
  }
  // 30 unused and 150 used ones are alive; each stripe may hold a few more until it is touched.
  CHECK(table.entries() >= 180);
  CHECK(table.entries() < 180 + 64 * 5);
}

TEST_CASE("sid table: several threads", "[balance][sid_table]") {
  SidTable table;
  std::vector<int> wrong(4);
  const auto work = [&](std::size_t at) {
    for (int i = 0; i < 2'000; ++i) {
      const auto mine = std::to_string(at) + "-" + std::to_string(i);
      table.learn(mine, at, kStart);
      if (table.use(mine, kStart) != at) ++wrong[at];
      table.use("0-" + std::to_string(i), kStart);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t at = 0; at < 4; ++at) threads.emplace_back(work, at);
  for (auto& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
  CHECK(table.entries() == 8'000);
}

}  // namespace fairlead::balance
