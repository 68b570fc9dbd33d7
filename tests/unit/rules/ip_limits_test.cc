#include "proxy/rules/ip_limits.h"

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"

namespace fairlead::rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Answer = IpLimits::Answer;

const Clock::time_point kStart{std::chrono::hours(1000)};

conf::Limits limits(std::optional<conf::Rate> rate, std::optional<std::uint32_t> connections) {
  conf::Limits result;
  result.handshakes_per_ip = rate;
  result.connections_per_ip = connections;
  return result;
}

conf::Ip ip(const char* text) {
  const auto parsed = conf::Ip::parse(text);
  REQUIRE(parsed);
  return *parsed;
}

conf::Ip numbered(std::uint32_t n) {
  return conf::Ip::v4(0x0a000000 + n);
}

}  // namespace

TEST_CASE("ip limits: without any, nothing is counted", "[rules][ip_limits]") {
  IpLimits table(limits({}, {}));
  const auto entered = table.enter(ip("10.0.0.1"), kStart);
  CHECK(entered.answer == Answer::ok);
  CHECK_FALSE(entered.counted);
  CHECK(table.entries() == 0);
}

TEST_CASE("ip limits: n-1, n and n+1 open sessions", "[rules][ip_limits]") {
  IpLimits table(limits({}, 3));
  const auto client = ip("10.0.0.1");
  for (std::uint32_t i = 0; i < 3; ++i) {
    CHECK(table.open(client) == i);
    const auto entered = table.enter(client, kStart);
    CHECK(entered.answer == Answer::ok);
    CHECK(entered.counted);
  }
  const auto refused = table.enter(client, kStart);
  CHECK(refused.answer == Answer::connections);
  CHECK_FALSE(refused.counted);
  CHECK(table.open(client) == 3);
  // Another address is another count.
  CHECK(table.enter(ip("10.0.0.2"), kStart).answer == Answer::ok);
  table.leave(client);
  CHECK(table.enter(client, kStart).answer == Answer::ok);
  CHECK(table.enter(client, kStart).answer == Answer::connections);
  for (int i = 0; i < 3; ++i) table.leave(client);
  table.leave(ip("10.0.0.2"));
  CHECK(table.open(client) == 0);
  CHECK(table.entries() == 0);
}

TEST_CASE("ip limits: a leave too many is ignored", "[rules][ip_limits]") {
  IpLimits table(limits({{1000, 1000}}, 1));
  const auto client = ip("10.0.0.1");
  table.leave(client);
  CHECK(table.enter(client, kStart).counted);
  table.leave(client);
  table.leave(client);
  CHECK(table.open(client) == 0);
  CHECK(table.enter(client, kStart).answer == Answer::ok);
  CHECK(table.enter(client, kStart).answer == Answer::connections);
}

TEST_CASE("ip limits: n-1, n and n+1 handshakes, and when the next may come",
          "[rules][ip_limits]") {
  IpLimits table(limits({{2, 3}}, {}));
  const auto client = ip("10.0.0.1");
  for (int i = 0; i < 3; ++i) {
    const auto entered = table.enter(client, kStart);
    CHECK(entered.answer == Answer::ok);
    CHECK_FALSE(entered.counted);  // no count to take back
  }
  const auto refused = table.enter(client, kStart);
  CHECK(refused.answer == Answer::rate);
  CHECK(refused.retry_after == milliseconds(500));
  CHECK_FALSE(refused.counted);
  CHECK(table.enter(ip("10.0.0.2"), kStart).answer == Answer::ok);
  CHECK(table.enter(client, kStart + milliseconds(499)).answer == Answer::rate);
  CHECK(table.enter(client, kStart + milliseconds(500)).answer == Answer::ok);
  CHECK(table.enter(client, kStart + milliseconds(500)).answer == Answer::rate);
}

TEST_CASE("ip limits: the rate is asked first and counts what the count refuses",
          "[rules][ip_limits]") {
  IpLimits table(limits({{1, 3}}, 1));
  const auto client = ip("10.0.0.1");
  CHECK(table.enter(client, kStart).answer == Answer::ok);
  CHECK(table.enter(client, kStart).answer == Answer::connections);
  CHECK(table.enter(client, kStart).answer == Answer::connections);
  CHECK(table.enter(client, kStart).answer == Answer::rate);
  // Leaving gives no new bucket.
  table.leave(client);
  CHECK(table.enter(client, kStart).answer == Answer::rate);
  CHECK(table.enter(client, kStart + seconds(1)).answer == Answer::ok);
}

TEST_CASE("ip limits: IPv6 counts by /64, IPv4 by address", "[rules][ip_limits]") {
  struct Row {
    const char* first;
    const char* second;
    bool together;
    const char* why;
  };

  const Row rows[] = {
      {"2001:db8::1", "2001:db8::2", true, "one /64"},
      {"2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", true, "its first and last address"},
      {"2001:db8:0:1::1", "2001:db8:0:2::1", false, "two /64s"},
      {"2001:db8:0:1::1", "2001:db8:0:1:8000::1", true, "the 65th bit does not count"},
      {"10.0.0.1", "10.0.0.2", false, "two IPv4 addresses"},
      {"10.0.0.1", "::ffff:10.0.0.1", true, "one IPv4 address, over IPv6"},
      {"10.0.0.1", "::1", false, "IPv4 is not in ::/64"},
      {"0.0.0.0", "::", false, "not even at zero"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first, row.second, row.why);
    IpLimits table(limits({}, 1));
    CHECK(table.enter(ip(row.first), kStart).answer == Answer::ok);
    CHECK((table.enter(ip(row.second), kStart).answer == Answer::connections) == row.together);
    CHECK(table.open(ip(row.second)) == 1);
    table.leave(ip(row.second));
    CHECK(table.open(ip(row.first)) == (row.together ? 0 : 1));
  }
}

TEST_CASE("ip limits: the table is bounded, and who does not fit is let in uncounted",
          "[rules][ip_limits]") {
  constexpr std::size_t kMax = 640;
  IpLimits table(limits({}, 1), kMax);
  std::vector<conf::Ip> counted;
  std::size_t uncounted = 0;
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    const auto entered = table.enter(numbered(i), kStart);
    REQUIRE(entered.answer == Answer::ok);
    if (entered.counted) {
      counted.push_back(numbered(i));
    } else {
      ++uncounted;
    }
    REQUIRE(table.entries() <= kMax);
  }
  CHECK(table.entries() == kMax);
  CHECK(counted.size() == kMax);
  CHECK(uncounted == 5'000 - kMax);
  // Those counted are still held to their limit.
  for (const auto& client : counted) {
    REQUIRE(table.enter(client, kStart).answer == Answer::connections);
  }
  for (const auto& client : counted) table.leave(client);
  CHECK(table.entries() == 0);
}

TEST_CASE("ip limits: addresses with a full bucket and no session make room",
          "[rules][ip_limits]") {
  constexpr std::size_t kMax = 640;
  IpLimits table(limits({{1, 2}}, 10), kMax);
  for (std::uint32_t i = 0; i < kMax; ++i) {
    const auto entered = table.enter(numbered(i), kStart);
    // Every second one stays.
    if (entered.counted && i % 2 == 0) table.leave(numbered(i));
  }
  const auto before = table.entries();
  SECTION("while their buckets are not full again, none is forgotten") {
    for (std::uint32_t i = 0; i < 5'000; ++i) table.enter(numbered(100'000 + i), kStart);
    for (std::uint32_t i = 1; i < kMax; i += 2) {
      if (table.open(numbered(i)) > 0) CHECK(table.open(numbered(i)) == 1);
    }
    CHECK(table.entries() <= kMax);
    CHECK(table.entries() >= before);
  }
  SECTION("later they are, and those with a session are not") {
    std::vector<std::uint32_t> open;
    for (std::uint32_t i = 1; i < kMax; i += 2) {
      if (table.open(numbered(i)) == 1) open.push_back(i);
    }
    REQUIRE(open.size() > kMax / 4);
    const auto later = kStart + seconds(10);
    std::size_t counted = 0;
    for (std::uint32_t i = 0; i < 5'000; ++i) {
      const auto client = numbered(100'000 + i);
      const auto entered = table.enter(client, later + seconds(i));
      if (entered.counted) {
        ++counted;
        table.leave(client);
      }
      REQUIRE(table.entries() <= kMax);
    }
    CHECK(counted > 4'900);
    for (const auto i : open) CHECK(table.open(numbered(i)) == 1);
  }
}

TEST_CASE("ip limits: what came once does not stay for ever", "[rules][ip_limits]") {
  IpLimits table(limits({{10, 10}}, {}));
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    table.enter(numbered(i), kStart + milliseconds(i));
  }
  // 100 ms fill a bucket again, so about 100 addresses are worth keeping.
  CHECK(table.entries() < 2'000);
}

TEST_CASE("ip limits: several threads, and all counts come back to zero", "[rules][ip_limits]") {
  constexpr std::uint32_t kLimit = 5;
  constexpr std::uint32_t kAddresses = 50;
  IpLimits table(limits({}, kLimit));
  std::atomic<bool> exceeded{false};
  std::atomic<std::uint64_t> admitted{0};
  std::vector<std::atomic<std::uint32_t>> open(kAddresses);
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::uint32_t> held;
    for (int i = 0; i < 20'000; ++i) {
      if (held.size() < 40 && random() % 2 == 0) {
        const auto n = static_cast<std::uint32_t>(random() % kAddresses);
        if (!table.enter(numbered(n), kStart).counted) continue;
        if (++open[n] > kLimit) exceeded = true;
        ++admitted;
        held.push_back(n);
      } else if (!held.empty()) {
        const std::size_t at = random() % held.size();
        --open[held[at]];
        table.leave(numbered(held[at]));
        held[at] = held.back();
        held.pop_back();
      }
    }
    for (const auto n : held) {
      --open[n];
      table.leave(numbered(n));
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) threads.emplace_back(work, 1000 + i);
  for (auto& thread : threads) thread.join();
  CHECK_FALSE(exceeded);
  CHECK(admitted > 10'000);
  for (std::uint32_t n = 0; n < kAddresses; ++n) CHECK(table.open(numbered(n)) == 0);
  CHECK(table.entries() == 0);
}

TEST_CASE("ip limits: after a reload what is open stays counted", "[rules][ip_limits][reload]") {
  IpLimits before(limits({}, 2));
  const auto client = ip("10.0.0.1");
  CHECK(before.enter(client, kStart).counted);
  CHECK(before.enter(client, kStart).counted);
  IpLimits after(limits({}, 3), before);
  CHECK(after.open(client) == 2);
  CHECK(after.enter(client, kStart).counted);
  CHECK(after.enter(client, kStart).answer == Answer::connections);
  before.leave(client);  // a session of the old snapshot
  CHECK(after.enter(client, kStart).counted);
  // Below what is open: nobody comes in until some leave.
  IpLimits fewer(limits({}, 1), after);
  CHECK(fewer.enter(client, kStart).answer == Answer::connections);
  for (int i = 0; i < 3; ++i) after.leave(client);
  CHECK(fewer.enter(client, kStart).counted);
}

TEST_CASE("ip limits: a reload gives no new bucket, another rate does",
          "[rules][ip_limits][reload]") {
  IpLimits before(limits(conf::Rate{1, 2}, {}));
  const auto client = ip("10.0.0.1");
  CHECK(before.enter(client, kStart).answer == Answer::ok);
  IpLimits same(limits(conf::Rate{1, 2}, 5), before);
  CHECK(same.enter(client, kStart).counted);
  CHECK(same.enter(client, kStart).answer == Answer::rate);
  // Leaving, even by a snapshot without a rate, buys none either.
  IpLimits without(limits({}, 5), same);
  without.leave(client);
  CHECK(same.enter(client, kStart).answer == Answer::rate);
  IpLimits other(limits(conf::Rate{1, 3}, {}), same);
  for (int i = 0; i < 3; ++i) CHECK(other.enter(client, kStart).answer == Answer::ok);
  CHECK(other.enter(client, kStart).answer == Answer::rate);
}

}  // namespace fairlead::rules
