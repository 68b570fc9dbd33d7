#include "proxy/observe/totals.h"

#include <fmt/format.h>

#include <map>

#include "proxy/observe/json.h"

namespace fairlead::observe {
namespace {

using Numbers = std::map<std::string, std::uint64_t>;

struct Totals {
  std::array<std::uint64_t, 2> messages{};
  std::array<std::uint64_t, 2> bytes{};
  std::uint64_t requests = 0;
  Numbers refused;
  Numbers closes;
  Numbers ends;
  Numbers results;
  HistogramSum rtt;
};

// What is 0 is left out.
void note(Numbers& numbers, const std::string& name, std::uint64_t count) {
  if (count != 0) numbers[name] += count;
}

void add_closes(const RouteCounters& route, const RouteTally& tally, Numbers& closes) {
  for (std::size_t slot = 0; slot < tally.closes.size(); ++slot) {
    for (const rules::Party party :
         {rules::Party::client, rules::Party::backend, rules::Party::proxy}) {
      const auto count = tally.closes[slot][static_cast<std::size_t>(party)].value();
      if (count == 0) continue;
      note(closes, fmt::format("{} {}", value_word(route.codes, slot), rules::word(party)), count);
    }
  }
}

void add_route(const RouteCounters& route, Totals& totals) {
  route.for_each([&](const RouteTally& tally) {
    for (std::size_t i = 0; i < tally.traffic.size(); ++i) {
      totals.messages[i] += tally.traffic[i].texts.value() + tally.traffic[i].binaries.value();
      totals.bytes[i] += tally.traffic[i].bytes.value();
    }
    for (std::size_t i = 0; i < tally.sessions.size(); ++i)
      note(totals.results, std::string(kSessionResults[i]), tally.sessions[i].value());
    for (const Counter& count : tally.requests) totals.requests += count.value();
    add_closes(route, tally, totals.closes);
    for (std::size_t i = 0; i < tally.ends.size(); ++i) {
      const auto cause = static_cast<rules::Cause>(i);
      note(totals.ends, std::string(rules::failure(cause).word), tally.ends[i].value());
    }
  });
}

void add_worker(const WorkerCounters& worker, Totals& totals) {
  for (int i = 0; i < rules::kCauseCount; ++i) {
    const auto cause = static_cast<rules::Cause>(i);
    note(totals.refused, std::string(rules::failure(cause).word),
         worker.refused[static_cast<std::size_t>(i)].value());
  }
  totals.rtt.add(worker.ping_rtt[0]);
}

std::string object(const Numbers& numbers) {
  std::string out = "{";
  for (const auto& [name, count] : numbers) {
    if (out.size() > 1) out += ',';
    append_json_string(name, out);
    out += ':' + std::to_string(count);
  }
  return out + "}";
}

std::string millis(std::optional<double> seconds) {
  return seconds ? fmt::format("{:.3f}", *seconds * 1000) : "null";
}

std::string rtt_json(const HistogramSum& rtt) {
  std::string buckets;
  for (std::size_t i = 0; i < rtt.counts.size(); ++i) {
    const std::string bound = i < rtt.bounds.size() ? millis(rtt.bounds[i]) : "null";
    buckets += fmt::format("{}[{},{}]", i == 0 ? "" : ",", bound, rtt.counts[i]);
  }
  return fmt::format(R"({{"p50":{},"p90":{},"p99":{},"buckets":[{}]}})", millis(rtt.quantile(0.5)),
                     millis(rtt.quantile(0.9)), millis(rtt.quantile(0.99)), buckets);
}

}  // namespace

std::string totals_json(const CounterView& view) {
  Totals totals;
  if (view.registry != nullptr) {
    for (const auto& [name, route] : view.registry->routes()) add_route(*route, totals);
  }
  for (const WorkerCounters* worker : view.workers) add_worker(*worker, totals);
  return fmt::format(
      R"({{"messages_in":{},"messages_out":{},"bytes_in":{},"bytes_out":{},"handshakes":{},)"
      R"("http_requests":{},"refused":{},"closes":{},"ends":{},"results":{},"rtt_ms":{}}})",
      totals.messages[0], totals.messages[1], totals.bytes[0], totals.bytes[1],
      totals.results["opened"], totals.requests, object(totals.refused), object(totals.closes),
      object(totals.ends), object(totals.results), rtt_json(totals.rtt));
}

}  // namespace fairlead::observe
