// A token bucket: "50/s", or { rate = "50/s", burst = 100 }.

#include "conf/schema.h"

namespace fairlead::conf {
namespace {

using Value = std::optional<Rate>;

struct Bucket {
  Rate rate;
  std::optional<double> burst;
};

constexpr std::uint64_t kMostBurst = 1ULL << 40;

std::string example(RateOf of) {
  return of == RateOf::bytes ? "\"1MiB/s\"" : "\"50/s\"";
}

std::optional<Rate> read_rate(const Node& node, const Scope& scope, RateOf of) {
  if (node.kind != Node::Kind::string) {
    scope.wrong_kind(node, "a string such as " + example(of));
    return std::nullopt;
  }
  const auto rate = parse_rate(node.text, of);
  if (rate) return rate;
  scope.problem(
      node, in_quotes(node.text) + " is not a rate such as " + example(of) + " (also /m and /h)");
  return std::nullopt;
}

std::optional<double> read_burst(const Node& node, const Scope& scope, RateOf of) {
  std::optional<std::uint64_t> value;
  if (node.kind == Node::Kind::integer) {
    value = node.integer < 0 ? 0 : static_cast<std::uint64_t>(node.integer);
  } else if (of == RateOf::bytes && node.kind == Node::Kind::string) {
    value = parse_size(node.text);
  } else {
    scope.wrong_kind(node, of == RateOf::bytes ? "a size such as \"4MiB\"" : "an integer");
    return std::nullopt;
  }
  if (value && *value >= 1 && *value <= kMostBurst) return static_cast<double>(*value);
  const std::string wanted = of == RateOf::bytes ? "a size such as \"4MiB\"" : "1 or more";
  scope.problem(node, "must be " + wanted);
  return std::nullopt;
}

std::string rate_shape(RateOf of, const std::string& otherwise = "") {
  return shape::matching(std::string(of == RateOf::bytes ? shape::kByteRate : shape::kEventRate) +
                         otherwise);
}

std::string burst_shape(RateOf of) {
  const std::string number = shape::integer(1, kMostBurst);
  return of == RateOf::bytes ? shape::either({number, shape::matching(shape::kSize)}) : number;
}

Schema<Bucket> make_schema(RateOf of) {
  Field<Bucket> rate;
  rate.about.key = "rate";
  rate.about.shape = rate_shape(of);
  rate.required = true;
  rate.read = [of](const Node& node, const Scope& scope, Bucket& out) {
    if (const auto value = read_rate(node, scope, of)) out.rate = *value;
  };
  Field<Bucket> burst;
  burst.about.key = "burst";
  burst.about.shape = burst_shape(of);
  burst.read = [of](const Node& node, const Scope& scope, Bucket& out) {
    out.burst = read_burst(node, scope, of);
  };
  return {{rate, burst}, {}};
}

const Schema<Bucket>& bucket_schema(RateOf of) {
  static const Schema<Bucket> events = make_schema(RateOf::events);
  static const Schema<Bucket> bytes = make_schema(RateOf::bytes);
  return of == RateOf::bytes ? bytes : events;
}

std::optional<Value> read_bucket(const Node& node, const Scope& scope, RateOf of) {
  if (node.kind == Node::Kind::table) {
    Bucket bucket;
    read_table(node, scope, bucket_schema(of), bucket);
    if (bucket.burst) bucket.rate.burst = *bucket.burst;
    return Value{bucket.rate};
  }
  if (node.kind == Node::Kind::string && node.text == "off") return Value{};
  const Value rate = read_rate(node, scope, of);
  return rate ? std::optional<Value>(rate) : std::nullopt;
}

}  // namespace

Codec<Rate> plain_rate() {
  return {
      "rate",
      [](const Node& node, const Scope& scope) { return read_rate(node, scope, RateOf::events); },
      [](const Rate& value) { return "\"" + rate_text(value, RateOf::events) + "\""; },
      rate_shape(RateOf::events)};
}

namespace {

Codec<Value> rate_without_burst_or_off(RateOf of) {
  Codec<Value> codec = rate_or_off(of);
  codec.shape = rate_shape(of, "|off");
  codec.read = [of](const Node& node, const Scope& scope) -> std::optional<Value> {
    if (node.kind == Node::Kind::string && node.text == "off") return Value{};
    const Value rate = read_rate(node, scope, of);
    return rate ? std::optional<Value>(rate) : std::nullopt;
  };
  return codec;
}

}  // namespace

Codec<Value> plain_rate_or_off() {
  return rate_without_burst_or_off(RateOf::events);
}

Codec<Value> plain_byte_rate_or_off() {
  return rate_without_burst_or_off(RateOf::bytes);
}

Codec<Value> rate_or_off(RateOf of) {
  return {of == RateOf::bytes ? "byte rate, or \"off\"" : "rate, or \"off\"",
          [of](const Node& node, const Scope& scope) { return read_bucket(node, scope, of); },
          [of](const Value& value) {
            return value ? "\"" + rate_text(*value, of) + "\"" : std::string("\"off\"");
          },
          shape::either({rate_shape(of, "|off"), object_shape(bucket_schema(of).described())})};
}

}  // namespace fairlead::conf
