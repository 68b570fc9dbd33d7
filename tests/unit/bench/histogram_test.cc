#include "tests/bench/histogram.h"

#include "tests/support/catch.h"

namespace fairlead::bench {

TEST_CASE("histogram: nothing has no quantiles", "[bench]") {
  Histogram empty;
  CHECK(empty.count() == 0);
  CHECK(empty.quantile(0.99) == 0);
  CHECK(empty.buckets() == "[]");
}

TEST_CASE("histogram: what is below 128 is exact", "[bench]") {
  Histogram histogram;
  for (std::uint64_t i = 1; i <= 100; ++i) histogram.add(i);
  CHECK(histogram.quantile(0.5) == 50);
  CHECK(histogram.quantile(0.99) == 99);
  CHECK(histogram.quantile(0.999) == 100);
  CHECK(histogram.quantile(0) == 1);
  CHECK(histogram.max() == 100);
}

TEST_CASE("histogram: each value lies in its bucket, whose width is within 1/128", "[bench]") {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (std::uint64_t near : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
      std::uint64_t value = (std::uint64_t{1} << bit) + near;
      Histogram histogram;
      histogram.add(value);
      histogram.add(~std::uint64_t{0});  // so that the bucket's end is not cut to the maximum
      std::uint64_t end = histogram.quantile(0.5);
      CAPTURE(value, end);
      CHECK(end >= value);
      CHECK(end - value <= value / 128);
    }
  }
}

TEST_CASE("histogram: quantiles grow, and neither is above the maximum", "[bench]") {
  Histogram histogram;
  for (std::uint64_t i = 0; i < 10000; ++i) histogram.add(i * i);
  std::uint64_t before = 0;
  for (int part = 0; part <= 1000; ++part) {
    std::uint64_t value = histogram.quantile(part / 1000.0);
    CHECK(value >= before);
    before = value;
  }
  CHECK(histogram.quantile(1) == histogram.max());
  CHECK(histogram.max() == std::uint64_t{9999} * 9999);
}

TEST_CASE("histogram: merging is as if all had been added to one", "[bench]") {
  Histogram one;
  Histogram other;
  Histogram all;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    (i % 3 == 0 ? one : other).add(i * 977);
    all.add(i * 977);
  }
  one.merge(other);
  CHECK(one.count() == all.count());
  CHECK(one.buckets() == all.buckets());
  CHECK(one.max() == all.max());
}

TEST_CASE("histogram: its buckets as JSON", "[bench]") {
  Histogram histogram;
  for (std::uint64_t value : {3, 3, 100, 1000}) histogram.add(value);
  CHECK(histogram.buckets() == "[[3,2],[100,1],[1000,1]]");
}

}  // namespace fairlead::bench
