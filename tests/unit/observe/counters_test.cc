#include "proxy/observe/counters.h"

#include "tests/support/catch.h"

namespace fairlead::observe {
namespace {

constexpr std::array kBounds{1.0, 2.0, 5.0};
constexpr std::array<std::uint16_t, 2> kKnown{0, 1000};

HistogramSum sum_of(std::initializer_list<double> values) {
  Histogram<kDurationBounds> histogram;
  for (const double value : values) histogram.add(value);
  HistogramSum sum;
  sum.add(histogram);
  return sum;
}

}  // namespace

TEST_CASE("histogram: a value belongs to the first bucket whose bound it does not exceed",
          "[observe][counters]") {
  const HistogramSum sum = sum_of({0, 1, 1.001, 5, 86400, 86401, 1e9, -1});
  REQUIRE(sum.counts.size() == kDurationBounds.size() + 1);
  CHECK(sum.counts[0] == 3);
  CHECK(sum.counts[1] == 2);
  CHECK(sum.counts[kDurationBounds.size() - 1] == 1);
  CHECK(sum.counts[kDurationBounds.size()] == 2);
  CHECK(sum.total() == 8);
  CHECK(sum.seconds == Approx(0 + 1 + 1.001 + 5 + 86400 + 86401 + 1e9));
}

TEST_CASE("histogram: those of several workers are added up", "[observe][counters]") {
  Histogram<kDurationBounds> first;
  Histogram<kDurationBounds> second;
  first.add(0.5);
  second.add(0.5);
  second.add(70);
  HistogramSum sum;
  sum.add(first);
  sum.add(second);
  CHECK(sum.counts[0] == 2);
  CHECK(sum.counts[4] == 1);
  CHECK(sum.seconds == Approx(71));
}

TEST_CASE("histogram: quantiles lie within their bucket", "[observe][counters]") {
  HistogramSum sum{kBounds, {0, 0, 0, 0}, 0};
  CHECK_FALSE(sum.quantile(0.5));
  sum.counts = {10, 0, 10, 0};
  CHECK(sum.quantile(0.25) == Approx(0.5));
  CHECK(sum.quantile(0.5) == Approx(1.0));
  CHECK(sum.quantile(0.75) == Approx(3.5));
  sum.counts = {0, 0, 0, 3};
  CHECK(sum.quantile(0.5) == Approx(5.0));
}

TEST_CASE("value table: what is known has a slot, 64 values in all, the rest shares one",
          "[observe][counters]") {
  ValueTable table(kKnown);
  CHECK(value_word(table, table.slot(0)) == "none");
  CHECK(value_word(table, table.slot(1000)) == "1000");
  CHECK_FALSE(table.value(2));
  for (std::uint16_t i = 0; i < ValueTable::kSlots - 2; ++i) {
    const auto value = static_cast<std::uint16_t>(4000 + i);
    const std::size_t slot = table.slot(value);
    CHECK(slot == i + 2U);
    CHECK(table.slot(value) == slot);
    CHECK(table.value(slot) == value);
  }
  CHECK(table.slot(4999) == ValueTable::kOther);
  CHECK(table.slot(65535) == ValueTable::kOther);
  CHECK(table.slot(1000) == 1);
  CHECK(value_word(table, ValueTable::kOther) == "other");
}

}  // namespace fairlead::observe
