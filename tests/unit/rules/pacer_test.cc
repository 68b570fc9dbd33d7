#include "proxy/rules/pacer.h"

#include "tests/support/catch.h"

namespace fairlead::rules {
namespace {

using namespace std::chrono_literals;

const Pacer::TimePoint kStart = Pacer::TimePoint{} + 1000s;

int taken_at_once(Pacer& pacer, const conf::Rate& rate, Pacer::TimePoint now) {
  int n = 0;
  while (n < 10'000 && pacer.take(rate, now)) ++n;
  return n;
}

}  // namespace

static_assert(sizeof(Pacer) == 8, "every session has one");

TEST_CASE("pacer: a burst, then the rate", "[rules][pacer]") {
  const conf::Rate rate{100, 20};
  Pacer pacer;
  CHECK(taken_at_once(pacer, rate, kStart) == 20);
  CHECK(taken_at_once(pacer, rate, kStart + 9ms) == 0);
  CHECK(taken_at_once(pacer, rate, kStart + 10ms) == 1);
  CHECK(taken_at_once(pacer, rate, kStart + 110ms) == 10);
  CHECK(taken_at_once(pacer, rate, kStart + 10s) == 20);
}

TEST_CASE("pacer: says when so many tokens are there", "[rules][pacer]") {
  const conf::Rate rate{10, 5};
  Pacer pacer;
  CHECK(pacer.when(rate, 5) <= kStart);
  taken_at_once(pacer, rate, kStart);
  CHECK(pacer.when(rate, 1) == kStart + 100ms);
  CHECK(pacer.when(rate, 5) == kStart + 500ms);
  CHECK(pacer.when(rate, 50) == kStart + 500ms);  // there are never more
}

TEST_CASE("pacer: a burst below one is one", "[rules][pacer]") {
  const conf::Rate rate{1, 0.25};
  Pacer pacer;
  CHECK(taken_at_once(pacer, rate, kStart) == 1);
  CHECK(pacer.when(rate, 1) == kStart + 1s);
}

}  // namespace fairlead::rules
