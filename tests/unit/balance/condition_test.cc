// How a server is said to be: ready, ejected, down or drained, why, and since when.

#include "tests/support/catch.h"
#include "tests/unit/balance/pools.h"

namespace fairlead::balance {
namespace {

using namespace std::chrono_literals;
using test::backend;
using test::kStart;
using State = Condition::State;

TEST_CASE("condition: a server nobody has tried is ready", "[balance][condition]") {
  const auto pool = Pool::make(backend({1}));
  const Condition is = pool->condition(0, kStart);
  CHECK(is.state == State::ready);
  CHECK(is.works);
  CHECK_FALSE(is.since);
  CHECK(is.last_error.empty());
}

TEST_CASE("condition: the only server is ejected in name while its connects fail",
          "[balance][condition]") {
  const auto pool = Pool::make(backend({1}));
  pool->failed(0, kStart, "connecting: Connection refused");
  Condition is = pool->condition(0, kStart + 100ms);
  CHECK(is.state == State::ejected);
  CHECK_FALSE(is.works);
  CHECK(is.reason == "connecting: Connection refused");
  CHECK(is.since == kStart);
  CHECK(is.left > 0s);
  CHECK(test::pick(*pool, kStart + 100ms));  // it is tried nevertheless
  SECTION("its time is over, and nobody has tried it yet") {
    is = pool->condition(0, kStart + 5s);
    CHECK(is.state == State::ejected);
    CHECK(is.left == 0s);
  }
  SECTION("it goes on failing: since the first") {
    pool->failed(0, kStart + 5s, "connecting: Connection timed out");
    is = pool->condition(0, kStart + 6s);
    CHECK(is.since == kStart);
    CHECK(is.reason == "connecting: Connection timed out");
  }
  SECTION("it answers") {
    pool->succeeded(0, kStart + 5s);
    is = pool->condition(0, kStart + 6s);
    CHECK(is.state == State::ready);
    CHECK(is.works);
    CHECK(is.since == kStart + 5s);
    CHECK(is.last_error == "connecting: Connection refused");
    CHECK(is.last_error_at == kStart);
  }
  SECTION("nobody tries it any more: nobody knows") {
    is = pool->condition(0, kStart + 2s + Backoff::kForget);
    CHECK(is.state == State::ready);
    CHECK(is.last_error == "connecting: Connection refused");
  }
}

TEST_CASE("condition: the checks' word, and an operator's", "[balance][condition]") {
  const auto pool = Pool::make(backend({1, 1}));
  pool->set_up(0, false, kStart, "it answered 500");
  Condition is = pool->condition(0, kStart + 1s);
  CHECK(is.state == State::down);
  CHECK_FALSE(is.works);
  CHECK(is.reason == "it answered 500");
  CHECK(is.since == kStart);
  pool->server(0).set_admin(AdminState::drain, kStart + 2s);
  is = pool->condition(0, kStart + 3s);
  CHECK(is.state == State::drain);
  CHECK_FALSE(is.works);
  CHECK(is.since == kStart + 2s);
  pool->server(0).set_admin(AdminState::down, kStart + 3s);
  is = pool->condition(0, kStart + 4s);
  CHECK(is.state == State::down);
  CHECK(is.reason == "set by an operator");
  pool->server(0).set_admin(AdminState::ready, kStart + 5s);
  pool->set_up(0, true, kStart + 6s);
  is = pool->condition(0, kStart + 7s);
  CHECK(is.state == State::ready);
  CHECK(is.since == kStart + 6s);
  CHECK(is.reason.empty());
}

TEST_CASE("condition: another error is told, and ejects nobody", "[balance][condition]") {
  const auto pool = Pool::make(backend({1}));
  pool->note_error(0, kStart, "its chunked coding is not valid");
  const Condition is = pool->condition(0, kStart + 1s);
  CHECK(is.state == State::ready);
  CHECK(is.works);
  CHECK(is.last_error == "its chunked coding is not valid");
}

TEST_CASE("complaints: one at once, then one each ten seconds", "[balance][condition]") {
  Complaints complaints;
  CHECK(complaints.note(kStart) == 0U);
  for (int i = 0; i < 487; ++i) CHECK_FALSE(complaints.note(kStart + i * 20ms));
  CHECK(complaints.note(kStart + Complaints::kEvery) == 487U);
  CHECK_FALSE(complaints.note(kStart + Complaints::kEvery + 1ms));
  CHECK(complaints.note(kStart + 2 * Complaints::kEvery) == 1U);
}

}  // namespace
}  // namespace fairlead::balance
