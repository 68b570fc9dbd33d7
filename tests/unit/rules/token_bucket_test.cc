#include "proxy/rules/token_bucket.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/support/catch.h"

namespace fairlead::rules {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Clock::time_point kStart{hours(1000)};

}  // namespace

TEST_CASE("bucket: a full one gives its burst and no more", "[rules][bucket]") {
  TokenBucket bucket({10, 5}, kStart);
  CHECK(bucket.full(kStart));
  CHECK(bucket.available(kStart) == 5);
  for (int i = 0; i < 5; ++i) CHECK(bucket.take(1, kStart));
  CHECK_FALSE(bucket.take(1, kStart));
  CHECK(bucket.available(kStart) == 0);
  CHECK_FALSE(bucket.full(kStart));
}

TEST_CASE("bucket: n-1, n and n+1 tokens of n", "[rules][bucket]") {
  struct Row {
    double n;
    bool want;
  };

  for (const auto& row : {Row{99, true}, Row{100, true}, Row{101, false}}) {
    CAPTURE(row.n);
    TokenBucket bucket({1, 100}, kStart);
    CHECK(bucket.take(row.n, kStart) == row.want);
    // What was refused took nothing.
    CHECK(bucket.available(kStart) == (row.want ? static_cast<unsigned>(100 - row.n) : 100));
  }
}

TEST_CASE("bucket: the wait is exact, to the millisecond", "[rules][bucket]") {
  struct Row {
    double rate;
    double burst;
    double n;
    int want_ms;
    const char* why;
  };

  const Row rows[] = {
      {10, 10, 1, 100, "a tenth of a second"},
      {3, 3, 1, 334, "a third, rounded up"},
      {7, 7, 2, 286, "two sevenths, rounded up"},
      {1000, 10, 1, 1, "a millisecond"},
      {5000, 10, 1, 1, "less than one, rounded up"},
      {0.5, 1, 1, 2000, "one in two seconds"},
      {600.0 / 60, 10, 1, 100, "600/m"},
      {1.0 / 60, 1.0 / 60, 1, 60'000, "1/m: a burst under one token holds one all the same"},
      {1.0 / 3600, 1, 1, 3'600'000, "1/h"},
      {1048576, 1048576, 65536, 63, "64 KiB of 1 MiB/s: 62.5 ms"},
      {10, 10, 10, 1000, "the whole burst"},
      {10, 10, 50, 1000, "more than there ever is: until full"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    TokenBucket bucket({row.rate, row.burst}, kStart);
    bucket.charge(std::max(row.burst, 1.0), kStart);
    const auto wait = bucket.wait(row.n, kStart);
    CHECK(wait == milliseconds(row.want_ms));
    const double n = std::min(row.n, std::max(row.burst, 1.0));
    if (row.rate < 1000) CHECK_FALSE(bucket.take(n, kStart + wait - milliseconds(1)));
    CHECK(bucket.take(n, kStart + wait));
  }
}

TEST_CASE("bucket: there is no wait for what is there", "[rules][bucket]") {
  TokenBucket bucket({10, 5}, kStart);
  CHECK(bucket.wait(5, kStart) == milliseconds(0));
  CHECK(bucket.wait(500, kStart) == milliseconds(0));
  CHECK(bucket.take(4, kStart));
  CHECK(bucket.wait(1, kStart) == milliseconds(0));
  CHECK(bucket.wait(2, kStart) == milliseconds(100));
}

TEST_CASE("bucket: a debt is paid before anything is given", "[rules][bucket]") {
  TokenBucket bucket({100, 10}, kStart);
  bucket.charge(110, kStart);
  CHECK(bucket.available(kStart) == 0);
  CHECK(bucket.wait(1, kStart) == milliseconds(1010));
  CHECK(bucket.wait(0, kStart) == milliseconds(1000));
  CHECK_FALSE(bucket.take(1, kStart + milliseconds(1009)));
  CHECK(bucket.take(1, kStart + milliseconds(1010)));
  CHECK(bucket.available(kStart + milliseconds(1010)) == 0);
}

TEST_CASE("bucket: idle for long, it holds its burst and no more", "[rules][bucket]") {
  for (const auto idle : {Clock::duration(seconds(1)), Clock::duration(hours(24 * 365 * 100))}) {
    TokenBucket bucket({1e9, 5}, kStart);
    bucket.charge(5, kStart);
    CHECK(bucket.available(kStart + idle) == 5);
    CHECK(bucket.full(kStart + idle));
    CHECK_FALSE(bucket.take(6, kStart + idle));
  }
}

TEST_CASE("bucket: a clock that stands still or runs back gives nothing", "[rules][bucket]") {
  TokenBucket bucket({10, 1}, kStart);
  CHECK(bucket.take(1, kStart));
  for (int i = 0; i < 1000; ++i) REQUIRE_FALSE(bucket.take(1, kStart));
  CHECK_FALSE(bucket.take(1, kStart - hours(1)));
  CHECK(bucket.wait(1, kStart - hours(1)) == milliseconds(100));
  // Nor does coming back from there give the hour.
  CHECK_FALSE(bucket.take(1, kStart + milliseconds(99)));
  CHECK(bucket.take(1, kStart + milliseconds(100)));
}

TEST_CASE("bucket: a rate of 0 never refills, and its wait is no overflow", "[rules][bucket]") {
  TokenBucket bucket({0, 1}, kStart);
  CHECK(bucket.take(1, kStart));
  CHECK_FALSE(bucket.take(1, kStart + hours(100'000)));
  CHECK(bucket.wait(1, kStart) == hours(24 * 365));
  TokenBucket slow({1e-300, 1}, kStart);
  slow.charge(1e300, kStart);
  CHECK(slow.wait(1, kStart) == hours(24 * 365));
}

TEST_CASE("bucket: a million small steps add up to the rate", "[rules][bucket]") {
  for (const double rate : {1.0, 3.0, 50.0, 999.0}) {
    CAPTURE(rate);
    TokenBucket bucket({rate, 1}, kStart);
    auto now = kStart;
    unsigned taken = 0;
    for (int i = 0; i < 1'000'000; ++i) {
      now += microseconds(100);
      if (bucket.take(1, now)) ++taken;
    }
    // 100 s: the burst and 100 s' worth, less what a step of 100 us is late for each token.
    CHECK(taken <= 1 + 100 * rate);
    CHECK(taken >= 100 * rate / (1 + rate * 0.0001));
  }
}

TEST_CASE("bucket: whatever was taken, take succeeds after the wait", "[rules][bucket]") {
  std::mt19937_64 random(7);
  const auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  for (int i = 0; i < 20'000; ++i) {
    const double rate = std::pow(10.0, uniform(-2, 9));
    const double burst = std::max(1.0, rate * uniform(0.1, 10));
    TokenBucket bucket({rate, burst}, kStart);
    bucket.charge(uniform(0, 3 * burst), kStart);
    const double n = uniform(0, burst);
    const auto wait = bucket.wait(n, kStart);
    CAPTURE(i, rate, burst, n, wait.count());
    REQUIRE(bucket.take(n, kStart + wait));
  }
}

}  // namespace fairlead::rules
