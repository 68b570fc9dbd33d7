#include "proxy/balance/rise_fall.h"

#include <string>

#include "tests/support/catch.h"

namespace fairlead::balance {
namespace {

// One letter a check: '+' or '-'. After each the state: 'u' or 'd', capital where it changed.
std::string walk(RiseFall state, const std::string& checks) {
  std::string seen;
  for (const char check : checks) {
    const bool changed = check == '+' ? state.passed() : state.failed();
    seen += state.up() ? (changed ? 'U' : 'u') : (changed ? 'D' : 'd');
  }
  return seen;
}

}  // namespace

TEST_CASE("rise and fall: so many in a row, neither less nor mixed", "[balance][rise_fall]") {
  struct Row {
    std::uint32_t rise;
    std::uint32_t fall;
    const char* checks;
    const char* states;
  };

  const auto row = GENERATE(values<Row>({
      {2, 3, "++++", "uuuu"},
      {2, 3, "+---", "uuuD"},
      {2, 3, "+--+--+", "uuuuuuu"},
      {2, 3, "+------", "uuuDddd"},
      {2, 3, "+---+-+-++", "uuuDdddddU"},
      {2, 3, "+---++--+---", "uuuDdUuuuuuD"},
      {1, 1, "+-+-", "uDUD"},
      {3, 1, "+-+++", "uDddU"},
      // The first check is believed at once, later ones are not.
      {2, 3, "-", "D"},
      {2, 3, "-++", "DdU"},
  }));
  CAPTURE(row.rise, row.fall, row.checks);
  CHECK(walk(RiseFall(row.rise, row.fall, true, false), row.checks) == row.states);
}

TEST_CASE("rise and fall: goes on where another left off", "[balance][rise_fall]") {
  CHECK(walk(RiseFall(2, 3, true, true), "---") == "uuD");
  CHECK(walk(RiseFall(2, 3, false, true), "++") == "dU");
  CHECK(walk(RiseFall(2, 3, false, false), "+") == "U");
}

TEST_CASE("rise and fall: tells how many spoke against it", "[balance][rise_fall]") {
  RiseFall state(2, 3, true, true);
  state.failed();
  state.failed();
  CHECK(state.against() == 2);
  state.passed();
  CHECK(state.against() == 0);
}

}  // namespace fairlead::balance
