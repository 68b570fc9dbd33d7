#include "proxy/rules/trace_context.h"

#include "tests/support/catch.h"

namespace fairlead::rules {
namespace {

constexpr std::string_view kGood = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr TraceRandom kRandom{0x1111111111111111, 0x2222222222222222, 0x3333333333333333};

wire::Fields fields(std::initializer_list<wire::Field> list) {
  wire::Fields all;
  for (const wire::Field& one : list) all.add(one.name, one.value);
  return all;
}

}  // namespace

TEST_CASE("traceparent: what is valid, and what is read of it", "[rules][trace]") {
  const auto parent = parse_traceparent(kGood);
  REQUIRE(parent);
  REQUIRE(hex_text(parent->trace) == "4bf92f3577b34da6a3ce929d0e0e4736");
  REQUIRE(hex_text(parent->span) == "00f067aa0ba902b7");
  REQUIRE(parent->sampled);
  REQUIRE(traceparent_text(*parent) == kGood);

  struct Case {
    const char* text;
    bool sampled;
  };

  for (const Case& one :
       {Case{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", false},
        // Flags nobody knows are no hindrance, and are not passed on.
        Case{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe", false},
        Case{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", true},
        // A version to come: what version 00 knows of it.
        Case{"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true},
        Case{"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", true},
        Case{"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-", false}}) {
    CAPTURE(one.text);
    const auto read = parse_traceparent(one.text);
    REQUIRE(read);
    REQUIRE(read->sampled == one.sampled);
    REQUIRE(read->trace == parent->trace);
    REQUIRE(traceparent_text(*read) ==
            std::string(kGood.substr(0, 53)) + (one.sampled ? "01" : "00"));
  }
}

TEST_CASE("traceparent: what is not valid", "[rules][trace]") {
  for (const char* text : {
           "",
           "00",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes",
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",
           "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
           "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
           "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
       }) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_traceparent(text));
  }
  for (std::size_t n = 0; n < kGood.size(); ++n)
    REQUIRE_FALSE(parse_traceparent(kGood.substr(0, n)));
}

TEST_CASE("a sampled parent is followed, with a span of our own", "[rules][trace]") {
  const auto context = trace_context(fields({{"Traceparent", kGood}}), true, 0, kRandom);
  REQUIRE(context);
  REQUIRE_FALSE(context->begun_here());
  REQUIRE(hex_text(context->parent) == "00f067aa0ba902b7");
  REQUIRE(traceparent_text(context->own) ==
          "00-4bf92f3577b34da6a3ce929d0e0e4736-3333333333333333-01");
}

TEST_CASE("a parent that is not sampled stays what it is", "[rules][trace]") {
  const auto head =
      fields({{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}});
  REQUIRE_FALSE(trace_context(head, true, 1, kRandom));
}

TEST_CASE("no parent, a bad one or two of them: a trace begins", "[rules][trace]") {
  for (const auto& head : {fields({}), fields({{"traceparent", "00-1-2-01"}}),
                           fields({{"traceparent", kGood}, {"traceparent", kGood}})}) {
    const auto context = trace_context(head, true, 1, kRandom);
    REQUIRE(context);
    REQUIRE(context->begun_here());
    REQUIRE(traceparent_text(context->own) ==
            "00-11111111111111112222222222222222-3333333333333333-01");
    const auto quiet = trace_context(head, true, 0, kRandom);
    REQUIRE(quiet);
    REQUIRE_FALSE(quiet->own.sampled);
  }
  // One whose word does not count.
  const auto context = trace_context(fields({{"traceparent", kGood}}), false, 0, kRandom);
  REQUIRE(context);
  REQUIRE(context->begun_here());
}

TEST_CASE("ids are never zero", "[rules][trace]") {
  const auto context = trace_context(fields({}), true, 0, {0, 0, 0});
  REQUIRE(context);
  REQUIRE(parse_traceparent(traceparent_text(context->own)));
}

TEST_CASE("the sample is a share of the ids, at both ends exact", "[rules][trace]") {
  TraceId lowest{};
  TraceId highest{};
  highest.fill(0xff);
  REQUIRE_FALSE(in_sample(lowest, 0));
  REQUIRE_FALSE(in_sample(highest, 0));
  REQUIRE(in_sample(lowest, 1));
  REQUIRE(in_sample(highest, 1));
  REQUIRE(in_sample(lowest, 0.01));
  REQUIRE_FALSE(in_sample(highest, 0.99));
  int kept = 0;
  std::uint64_t number = 1;
  for (int i = 0; i < 100'000; ++i) {
    number = number * 6364136223846793005 + 1442695040888963407;
    kept += trace_context(fields({}), true, 0.25, {1, number, 1})->own.sampled ? 1 : 0;
  }
  REQUIRE(kept > 24'500);
  REQUIRE(kept < 25'500);
}

TEST_CASE("tracestate is one list, up to 512 bytes", "[rules][trace]") {
  REQUIRE(tracestate_of(fields({})).empty());
  REQUIRE(
      tracestate_of(fields(
          {{"tracestate", "a=1,b=2"}, {"X", "y"}, {"Tracestate", ""}, {"Tracestate", "c=3"}})) ==
      "a=1,b=2,c=3");
  const std::string longest(512, 'a');
  REQUIRE(tracestate_of(fields({{"tracestate", longest}})) == longest);
  const std::string long_one(513, 'a');
  REQUIRE(tracestate_of(fields({{"tracestate", long_one}})).empty());
}

}  // namespace fairlead::rules
