#include "proxy/balance/backoff.h"

#include <algorithm>
#include <random>

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

const Clock::time_point kStart{std::chrono::hours(1000)};
constexpr std::uint32_t kMiddle = 0x80000000;  // no jitter

}  // namespace

TEST_CASE("backoff: 1 s, doubled up to 30 s", "[balance][backoff]") {
  Backoff backoff;
  auto now = kStart;
  CHECK_FALSE(backoff.active(now));
  unsigned failures = 0;
  for (const int seconds : {1, 2, 4, 8, 16, 30, 30, 30}) {
    CAPTURE(seconds);
    backoff.failed(now, kMiddle);
    CHECK(backoff.failures() == ++failures);
    CHECK(backoff.until() - now == std::chrono::seconds(seconds));
    CHECK(backoff.active(now));
    CHECK(backoff.active(backoff.until() - milliseconds(1)));
    CHECK_FALSE(backoff.active(backoff.until()));
    now = backoff.until();
  }
}

TEST_CASE("backoff: years of failures do not overflow", "[balance][backoff]") {
  Backoff backoff;
  auto now = kStart;
  for (int i = 0; i < 100'000; ++i) {
    backoff.failed(now, kMiddle);
    now = backoff.until();
  }
  CHECK(backoff.failures() == 100'000);
  backoff.failed(now, kMiddle);
  CHECK(backoff.until() - now == std::chrono::seconds(30));
}

TEST_CASE("backoff: jitter is a fifth, either way", "[balance][backoff]") {
  struct Row {
    std::uint32_t random;
    int want_ms;
  };

  for (const auto& row : {Row{0, 800}, Row{kMiddle, 1000}, Row{0x40000000, 900}}) {
    Backoff backoff;
    backoff.failed(kStart, row.random);
    CHECK(backoff.until() - kStart == milliseconds(row.want_ms));
  }
  std::mt19937 random(11);
  auto least = Clock::duration::max();
  auto most = Clock::duration::min();
  for (int i = 0; i < 100'000; ++i) {
    Backoff backoff;
    backoff.failed(kStart, static_cast<std::uint32_t>(random()));
    least = std::min(least, backoff.until() - kStart);
    most = std::max(most, backoff.until() - kStart);
  }
  CHECK(least >= milliseconds(800));
  CHECK(least < milliseconds(801));
  CHECK(most < milliseconds(1200));
  CHECK(most > milliseconds(1199));
}

TEST_CASE("backoff: failures while it lasts are of the same outage", "[balance][backoff]") {
  Backoff backoff;
  backoff.failed(kStart, kMiddle);
  for (int i = 0; i < 100; ++i) backoff.failed(kStart + milliseconds(9 * i), kMiddle);
  CHECK(backoff.failures() == 1);
  CHECK(backoff.until() == kStart + milliseconds(1000));
  backoff.failed(kStart + milliseconds(1000), kMiddle);
  CHECK(backoff.failures() == 2);
}

TEST_CASE("backoff: a success ends it and forgets", "[balance][backoff]") {
  Backoff backoff;
  backoff.failed(kStart, kMiddle);
  backoff.failed(backoff.until(), kMiddle);
  backoff.succeeded();
  CHECK_FALSE(backoff.active(kStart));
  CHECK(backoff.failures() == 0);
  backoff.failed(kStart, kMiddle);
  CHECK(backoff.until() - kStart == milliseconds(1000));
}

}  // namespace fairlead::balance
