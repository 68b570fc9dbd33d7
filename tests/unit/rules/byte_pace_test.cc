#include "proxy/rules/byte_pace.h"

#include "tests/support/catch.h"

namespace fairlead::rules {
namespace {

using namespace std::chrono_literals;

const Clock::time_point kStart = Clock::time_point{} + 1000s;

}  // namespace

TEST_CASE("byte pace: no read takes more than the bucket holds", "[rules][byte_pace]") {
  BytePace pace({20'480, 20'480}, kStart);
  CHECK(pace.most(kStart) == 20'480);
  pace.charge(15'000, kStart);
  CHECK(pace.wait(kStart).count() == 0);
  CHECK(pace.most(kStart) == 5480);
  pace.charge(5480, kStart);
  // An eighth of a second's worth.
  CHECK(pace.wait(kStart) == 125ms);
  CHECK(pace.most(kStart + 125ms) == 2560);
}

TEST_CASE("byte pace: a low rate is worth a read now and then", "[rules][byte_pace]") {
  BytePace pace({1024, 1024}, kStart);
  pace.charge(1024, kStart);
  CHECK(pace.wait(kStart) == 1000ms);
  CHECK(pace.most(kStart + 1s) == 1024);
}

TEST_CASE("byte pace: with next to nothing in it a read still takes a little, as a debt",
          "[rules][byte_pace]") {
  BytePace pace({1024, 4096}, kStart);
  pace.charge(4090, kStart);
  CHECK(pace.most(kStart) == 1024);
  pace.charge(1024, kStart);
  CHECK(pace.exceeded(kStart));
  CHECK(pace.wait(kStart) == 1995ms);  // (1018 + 1024) / 1024 s
}

TEST_CASE("byte pace: a small burst bounds the steps too", "[rules][byte_pace]") {
  BytePace pace({1'000'000, 100}, kStart);
  CHECK(pace.most(kStart) == 100);
  pace.charge(100, kStart);
  CHECK(pace.wait(kStart) == 1ms);
}

TEST_CASE("byte pace: exceeded is what was read beyond the bucket", "[rules][byte_pace]") {
  BytePace pace({10, 100}, kStart);
  pace.charge(100, kStart);
  CHECK_FALSE(pace.exceeded(kStart));
  pace.charge(1, kStart);
  CHECK(pace.exceeded(kStart));
}

}  // namespace fairlead::rules
