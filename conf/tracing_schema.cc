// [tracing]: spans for a collector.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "conf/schema.h"

namespace fairlead::conf {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::uint16_t kPort = 80;
constexpr std::size_t kNameBytes = 128;
constexpr std::size_t kPathBytes = 1024;

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// "host", "host:port", "[::1]:port".
std::optional<Address> parse_host(const std::string& host) {
  const std::size_t colon = host.rfind(':');
  const bool port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  auto address = Address::parse(port ? host : host + ":" + std::to_string(kPort));
  if (!address || address->kind == Address::Kind::unix_path || address->port == 0) {
    return std::nullopt;
  }
  return address;
}

// Nothing, with the complaint in `problem`.
std::optional<Collector> parse_collector(std::string_view url, std::string& problem) {
  if (url.substr(0, 8) == "https://") {
    problem =
        "https is not spoken to a collector: send to one on this machine or in this pod over "
        "http, and let that one send on";
    return std::nullopt;
  }
  problem = in_quotes(url) + " is not a URL such as \"http://127.0.0.1:4318/v1/traces\"";
  if (url.substr(0, kScheme.size()) != kScheme || !is_visible(url)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  if (url.size() > kPathBytes || url.find('#') != std::string_view::npos) return std::nullopt;
  const std::size_t slash = std::min(url.find('/'), url.size());
  Collector collector;
  collector.host = url.substr(0, slash);
  collector.path = url.substr(slash);
  // What OpenTelemetry calls the base endpoint is often what is at hand.
  if (collector.path.empty() || collector.path == "/") collector.path = "/v1/traces";
  const auto address = parse_host(collector.host);
  if (!address) return std::nullopt;
  collector.address = *address;
  return collector;
}

Codec<std::optional<Collector>> collector() {
  using Value = std::optional<Collector>;
  return {"URL",
          [](const Node& node, const Scope& scope) -> std::optional<Value> {
            if (node.kind != Node::Kind::string) {
              scope.wrong_kind(node, "a string such as \"http://127.0.0.1:4318/v1/traces\"");
              return std::nullopt;
            }
            std::string problem;
            Value value = parse_collector(node.text, problem);
            if (value) return value;
            scope.problem(node, problem);
            return std::nullopt;
          },
          [](const Value&) { return std::string("off"); }};
}

std::string service_complaint(std::string_view name) {
  if (name.empty()) return "must not be empty";
  return name.size() > kNameBytes ? "must not be longer than 128 bytes" : "";
}

}  // namespace

const Schema<Tracing>& tracing_schema() {
  using Parents = Tracing::Parents;
  static const Schema<Tracing> schema{
      {field("endpoint", &Tracing::endpoint, collector(),
             "where spans go, OTLP/HTTP as JSON: \"http://127.0.0.1:4318/v1/traces\""),
       field("sample", &Tracing::sample, share(), "of the traces that begin here"),
       field("parents", &Tracing::parents,
             choice<Parents>({{"any", Parents::any}, {"trusted", Parents::trusted}}),
             "whose traceparent is followed: anybody's, or that of trusted_proxies"),
       field("service_name", &Tracing::service_name, text("text", service_complaint),
             "the resource's service.name"),
       field("batch", &Tracing::batch, integer(1, 10'000), "spans sent at once, at most"),
       field("interval", &Tracing::interval, duration(Millis{10}, std::chrono::hours(1)),
             "how long a span waits for others"),
       field("timeout", &Tracing::timeout, duration(Millis{10}, std::chrono::minutes(5)),
             "for the collector to take a batch"),
       field("queue", &Tracing::queue, integer(1, 1'000'000),
             "spans waiting, at most; more are dropped and counted")},
      {}};
  return schema;
}

}  // namespace fairlead::conf
