// The counters' part of the metrics: each family sums up what the workers counted.

#include <functional>

#include "proxy/observe/exposition.h"
#include "proxy/observe/metrics.h"

namespace fairlead::observe {
namespace {

using rules::Cause;
using Direction = RouteTally::Direction;
constexpr auto kCounter = Family::Type::counter;
constexpr auto kGauge = Family::Type::gauge;
constexpr auto kHistogram = Family::Type::histogram;
constexpr std::array<std::string_view, 2> kDirections{"in", "out"};
constexpr std::array<std::string_view, 2> kSides{"client", "backend"};

// Something of each worker, or of a route's tallies, added up.
template <class Get>
std::uint64_t sum(const CounterView& view, Get get) {
  std::uint64_t total = 0;
  for (const WorkerCounters* worker : view.workers) total += get(*worker).value();
  return total;
}

template <class Get>
std::uint64_t sum(const RouteCounters& route, Get get) {
  std::uint64_t total = 0;
  route.for_each([&](const RouteTally& tally) { total += get(tally).value(); });
  return total;
}

template <class Get>
HistogramSum histogram(const CounterView& view, Get get) {
  HistogramSum total;
  for (const WorkerCounters* worker : view.workers) total.add(get(*worker));
  return total;
}

// Each that has sessions, not the one for requests without a route.
template <class F>
void for_each_route(const CounterView& view, F f) {
  for (const auto& [name, route] : view.registry->routes()) {
    if (!name.empty()) f(name, *route);
  }
}

void write_gauges(const CounterView& view, std::string& out) {
  {
    Family connections(out, kGauge, "connections", "Open client connections of a listener.");
    for (const auto& [listener, count] : view.registry->connections()) {
      if (count.use_count() == 1) continue;  // nobody's any more
      connections.value(labels({{"listener", listener}}), count->load());
    }
  }
  Family sessions(out, kGauge, "sessions", "Open WebSocket sessions.");
  for (const auto& [names, count] : view.registry->sessions()) {
    if (count.use_count() == 1) continue;
    sessions.value(labels({{"route", names.first}, {"backend", names.second}}), count->load());
  }
}

void write_messages(const CounterView& view, std::string& out) {
  Family messages(out, kCounter, "messages_total",
                  "Messages relayed by their opcode; of continuation, close, ping and pong the "
                  "frames. in: from clients.");
  for_each_route(view, [&](const std::string& name, const RouteCounters& route) {
    for (std::size_t i = 0; i < kDirections.size(); ++i) {
      const auto write = [&](std::string_view opcode, std::uint64_t value) {
        messages.value(labels({{"route", name}, {"direction", kDirections[i]}, {"opcode", opcode}}),
                       value);
      };
      const auto write_data = [&](std::string_view opcode, Counter Direction::*counter) {
        write(opcode,
              sum(
                  route, [=](const auto& tally) -> auto& { return tally.traffic[i].*counter; }));
      };
      write_data("text", &Direction::texts);
      write_data("binary", &Direction::binaries);
      write_data("continuation", &Direction::continuations);
      constexpr std::array<std::string_view, 3> kControls{"close", "ping", "pong"};
      for (std::size_t control = 0; control < kControls.size(); ++control) {
        write(kControls[control],
              sum(
                  route, [=](const auto& tally) -> auto& { return tally.controls[i][control]; }));
      }
    }
  });
}

void write_bytes(const CounterView& view, std::string& out) {
  Family bytes(out, kCounter, "bytes_total", "Payload bytes of data messages. in: from clients.");
  for_each_route(view, [&](const std::string& name, const RouteCounters& route) {
    for (std::size_t i = 0; i < kDirections.size(); ++i) {
      bytes.value(labels({{"route", name}, {"direction", kDirections[i]}}),
                  sum(
                      route, [i](const auto& tally) -> auto& { return tally.traffic[i].bytes; }));
    }
  });
}

void write_results(const CounterView& view, std::string& out) {
  Family results(out, kCounter, "sessions_total", "Handshakes by what became of them.");
  for_each_route(view, [&](const std::string& name, const RouteCounters& route) {
    for (std::size_t i = 0; i < kSessionResults.size(); ++i) {
      results.value(labels({{"route", name}, {"result", kSessionResults[i]}}),
                    sum(
                        route, [i](const auto& tally) -> auto& { return tally.sessions[i]; }));
    }
  });
}

void write_closes(const CounterView& view, std::string& out) {
  Family closes(
      out, kCounter, "close_total",
      "Sessions ended, by the close code of who ended them and by who that was; none: no Close.");
  for_each_route(view, [&](const std::string& name, const RouteCounters& route) {
    for (std::size_t slot = 0; slot <= ValueTable::kOther; ++slot) {
      for (const rules::Party party :
           {rules::Party::client, rules::Party::backend, rules::Party::proxy}) {
        const auto count = sum(
            route, [=](const auto& tally) -> auto& {
              return tally.closes[slot][static_cast<std::size_t>(party)];
            });
        if (count == 0) continue;
        closes.value(labels({{"route", name},
                             {"code", value_word(route.codes, slot)},
                             {"by", rules::word(party)}}),
                     count);
      }
    }
  });
}

// All reasons from the start: the first of a kind is an increase like any other.
void write_ends(const CounterView& view, std::string& out) {
  Family ends(out, kCounter, "session_ends_total", "Sessions ended, by the log's reason.");
  for_each_route(view, [&](const std::string& name, const RouteCounters& route) {
    for (int i = 0; i < rules::kCauseCount; ++i) {
      const auto cause = static_cast<Cause>(i);
      if (!rules::ends_session(cause)) continue;
      const auto at = static_cast<std::size_t>(i);
      ends.value(labels({{"route", name}, {"reason", rules::failure(cause).word}}),
                 sum(
                     route, [at](const auto& tally) -> auto& { return tally.ends[at]; }));
    }
  });
}

void write_requests(const CounterView& view, std::string& out) {
  Family requests(out, kCounter, "http_requests_total",
                  "Requests answered that became no session. No route: none was found.");
  for (const auto& [name, route] : view.registry->routes()) {
    for (std::size_t slot = 0; slot <= ValueTable::kOther; ++slot) {
      const auto count = sum(
          *route, [slot](const auto& tally) -> auto& { return tally.requests[slot]; });
      if (count == 0) continue;
      requests.value(labels({{"route", name}, {"status", value_word(route->statuses, slot)}}),
                     count);
    }
  }
}

void write_refusals(const CounterView& view, std::string& out) {
  {
    Family refused(out, kCounter, "refused_total", "Requests and connections turned away.");
    for (int i = 0; i < rules::kCauseCount; ++i) {
      const auto cause = static_cast<Cause>(i);
      if (!rules::is_refusal(cause)) continue;
      const auto at = static_cast<std::size_t>(i);
      refused.value(labels({{"reason", rules::failure(cause).word}}),
                    sum(
                        view, [at](const auto& worker) -> auto& { return worker.refused[at]; }));
    }
  }
  Family limit(out, kCounter, "limit_total", "Limits that were reached, and what followed.");
  for (std::size_t i = 0; i < kLimitWords.size(); ++i) {
    limit.value(labels({{"limit", kLimitWords[i].limit}, {"action", kLimitWords[i].action}}),
                sum(
                    view, [i](const auto& worker) -> auto& { return worker.limits[i]; }));
  }
}

void write_peers(const CounterView& view, std::string& out) {
  {
    Family dead(out, kCounter, "dead_peers_total", "Sessions ended since a ping had no answer.");
    for (std::size_t i = 0; i < kSides.size(); ++i) {
      dead.value(labels({{"side", kSides[i]}}),
                 sum(
                     view, [i](const auto& worker) -> auto& { return worker.dead_peers[i]; }));
    }
  }
  {
    Family rtt(out, kHistogram, "ping_rtt_seconds", "From a ping of ours to its pong.");
    for (std::size_t i = 0; i < kSides.size(); ++i) {
      rtt.value(labels({{"side", kSides[i]}}),
                histogram(
                    view, [i](const auto& worker) -> auto& { return worker.ping_rtt[i]; }));
    }
  }
  Family tls(out, kCounter, "tls_handshakes_total", "TLS handshakes with clients that succeeded.");
  for (const std::size_t version : {0U, 1U}) {
    for (const std::size_t resumed : {0U, 1U}) {
      tls.value(labels({{"version", version == 0 ? "TLSv1.2" : "TLSv1.3"},
                        {"resumed", resumed == 0 ? "false" : "true"}}),
                sum(
                    view, [=](const auto& worker) -> auto& {
                      return worker.tls_handshakes[version][resumed];
                    }));
    }
  }
}

void write_times(const CounterView& view, std::string& out) {
  Family(out, kHistogram, "session_duration_seconds", "Sessions that ended, by how long they were.")
      .value("", histogram(
                     view, [](const auto& one) -> auto& { return one.session_duration; }));
  Family(out, kHistogram, "handshake_seconds",
         "From a handshake's request to its 101, of sessions opened.")
      .value("", histogram(
                     view, [](const auto& one) -> auto& { return one.handshake; }));
  Family(out, kHistogram, "backend_connect_seconds", "Connecting to a server, where it succeeded.")
      .value("", histogram(
                     view, [](const auto& one) -> auto& { return one.connect; }));
}

}  // namespace

void append_counters(const CounterView& view, std::string& out) {
  if (view.registry == nullptr) return;
  write_gauges(view, out);
  write_results(view, out);
  write_messages(view, out);
  write_bytes(view, out);
  write_closes(view, out);
  write_ends(view, out);
  write_requests(view, out);
  write_refusals(view, out);
  write_peers(view, out);
  write_times(view, out);
}

}  // namespace fairlead::observe
