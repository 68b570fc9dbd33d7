#include "proxy/balance/pace.h"

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Clock::time_point kStart{std::chrono::hours(1000)};

// Milliseconds after the start.
double ms(Clock::time_point time) {
  return std::chrono::duration<double, std::milli>(time - kStart).count();
}

}  // namespace

TEST_CASE("pace: each has its share of time, jittered within it", "[balance][pace]") {
  const Pace pace(1000, 200, kStart);
  for (std::size_t k = 0; k < 1200; ++k) {
    CHECK(ms(pace.at(k, 0)) == Approx(static_cast<double>(k) * 5));
    CHECK(pace.at(k, UINT32_MAX) < pace.at(k + 1, 0) + milliseconds(1));
    CHECK(ms(pace.at(k, 1U << 31)) == Approx(static_cast<double>(k) * 5 + 2.5));
  }
}

TEST_CASE("pace: at once is quick, yet not all in one moment", "[balance][pace]") {
  const Pace pace(4500, 0, kStart, kStart + seconds(30));
  CHECK(pace.at(0, 0) == kStart);
  CHECK(ms(pace.at(4499, 0)) == Approx(1799.6));
  CHECK(ms(Pace(4500, 0, kStart).at(4499, 0)) == Approx(1799.6));
  CHECK(ms(Pace(4500, 1e9, kStart, kStart + seconds(30)).at(4499, 0)) == Approx(449.9));
  CHECK(ms(Pace(4500, 1e9, kStart).at(4499, 0)) == Approx(449.9));
}

TEST_CASE("pace: at once hurries where the time would not do", "[balance][pace]") {
  CHECK(ms(Pace(50'000, 0, kStart, kStart + seconds(10)).at(49'999, 0)) == Approx(9999.8));
  for (const auto last : {kStart + seconds(1), kStart, kStart - seconds(1)})
    CHECK(ms(Pace(50'000, 0, kStart, last).at(49'999, 0)) == Approx(4999.9));
}

TEST_CASE("pace: what is left at the last call goes then", "[balance][pace]") {
  const Pace pace(1000, 10, kStart, kStart + seconds(20));
  CHECK(ms(pace.at(100, 0)) == Approx(10'000));
  CHECK(ms(pace.at(198, 0)) == Approx(19'800));
  CHECK(ms(pace.at(199, 0)) == Approx(19'900).margin(101));
  CHECK(pace.at(999, UINT32_MAX) <= kStart + seconds(20));
  CHECK(pace.at(300, 0) > kStart + milliseconds(19'800));
}

TEST_CASE("pace: too many for the time there is all go at once", "[balance][pace]") {
  for (const auto last : {kStart + seconds(1), kStart, kStart - seconds(1)}) {
    const Pace pace(50'000, 10, kStart, last);
    CHECK(pace.at(0, 0) == kStart);
    CHECK(ms(pace.at(49'999, 0)) == Approx(4999.9));
  }
}

TEST_CASE("pace: the last call is a tenth before the deadline, at most a second",
          "[balance][pace]") {
  CHECK(ms(last_call(kStart, kStart + seconds(2))) == 1800);
  CHECK(ms(last_call(kStart, kStart + seconds(10))) == 9000);
  CHECK(ms(last_call(kStart, kStart + seconds(60))) == 59'000);
  CHECK(last_call(kStart, kStart) == kStart);
  CHECK(last_call(kStart, kStart - seconds(1)) == kStart);
}

}  // namespace fairlead::balance
