#include "conf/units.h"

#include "tests/support/catch.h"

using namespace fairlead::conf;

TEST_CASE("units: durations have one of four units", "[conf][units]") {
  struct Row {
    const char* text;
    std::int64_t millis;
  };

  const auto row = GENERATE(values<Row>({{"250ms", 250},
                                         {"0s", 0},
                                         {"0ms", 0},
                                         {"30s", 30'000},
                                         {"5m", 300'000},
                                         {"1h", 3'600'000},
                                         {"007s", 7'000},
                                         {"1m30s", 90'000},
                                         {"1h2m3s4ms", 3'723'004},
                                         {"1h1ms", 3'600'001},
                                         {"0m90s", 90'000},
                                         {"1281023894007h", 1281023894007LL * 3'600'000}}));
  CAPTURE(row.text);
  REQUIRE(parse_duration(row.text) == Millis{row.millis});
}

TEST_CASE("units: what is no duration", "[conf][units]") {
  const auto* text = GENERATE("", "30", "s", "30 s", " 30s", "30s ", "-1s", "+1s", "1.5s", "30S",
                              "1d", "30s1m", "1m1m", "1m30", "1m 30s", "1mm", "m30s",
                              "1281023894007h1281023894007h1h", "1281023894007h99999999999m", "1us",
                              "0x1s", "9999999999999999999s", "1281023894008h", "off");
  CAPTURE(text);
  REQUIRE_FALSE(parse_duration(text).has_value());
}

TEST_CASE("units: a duration's text is short and parses to the same value", "[conf][units]") {
  struct Row {
    std::int64_t millis;
    const char* text;
  };

  const auto row = GENERATE(values<Row>({{0, "0s"},
                                         {1, "1ms"},
                                         {1'001, "1001ms"},
                                         {60'000, "60s"},
                                         {90'000, "90s"},
                                         {120'000, "2m"},
                                         {3'600'000, "1h"},
                                         {5'400'000, "90m"}}));
  REQUIRE(duration_text(Millis{row.millis}) == row.text);
  REQUIRE(parse_duration(row.text) == Millis{row.millis});
}

TEST_CASE("units: sizes count in 1024", "[conf][units]") {
  struct Row {
    const char* text;
    std::uint64_t bytes;
  };

  const auto row = GENERATE(values<Row>({{"0", 0},
                                         {"1024", 1024},
                                         {"1024B", 1024},
                                         {"64KiB", 65'536},
                                         {"1MiB", 1U << 20},
                                         {"1GiB", 1U << 30},
                                         {"4611686018427387904", 1ULL << 62},
                                         {"4294967296GiB", 1ULL << 62}}));
  CAPTURE(row.text);
  REQUIRE(parse_size(row.text) == row.bytes);
  REQUIRE(parse_size(size_text(row.bytes)) == row.bytes);
}

TEST_CASE("units: what is no size", "[conf][units]") {
  const auto* text = GENERATE("", "KiB", "1KB", "1kib", "1 MiB", "-1", "1.5MiB", "1TiB", "1MB",
                              "4611686018427387905", "4294967297GiB", "99999999999999999999");
  CAPTURE(text);
  REQUIRE_FALSE(parse_size(text).has_value());
}

TEST_CASE("units: a rate's burst is one second's worth, at least one", "[conf][units]") {
  struct Row {
    const char* text;
    RateOf of;
    double per_second;
    double burst;
  };

  const auto row = GENERATE(values<Row>({{"50/s", RateOf::events, 50, 50},
                                         {"600/m", RateOf::events, 10, 10},
                                         {"3600/h", RateOf::events, 1, 1},
                                         {"6/m", RateOf::events, 0.1, 1},
                                         {"1MiB/s", RateOf::bytes, 1'048'576, 1'048'576},
                                         {"60KiB/m", RateOf::bytes, 1'024, 1'024},
                                         {"100/s", RateOf::bytes, 100, 100}}));
  CAPTURE(row.text);
  const auto rate = parse_rate(row.text, row.of);
  REQUIRE(rate.has_value());
  REQUIRE(rate->per_second == Approx(row.per_second));
  REQUIRE(rate->burst == Approx(row.burst));
  const auto again = parse_rate(rate_text(*rate, row.of), row.of);
  REQUIRE(again.has_value());
  REQUIRE(again->per_second == Approx(row.per_second));
}

TEST_CASE("units: what is no rate", "[conf][units]") {
  const auto* text = GENERATE("", "50", "50/", "/s", "0/s", "-5/s", "50/d", "50/ms", "50 / s",
                              "1.5/s", "50/s/s", "1MiB/s", "off");
  CAPTURE(text);
  REQUIRE_FALSE(parse_rate(text, RateOf::events).has_value());
}
