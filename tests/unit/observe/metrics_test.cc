#include "proxy/observe/metrics.h"

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "proxy/observe/exposition.h"
#include "tests/support/catch.h"

using namespace fairlead;
using namespace fairlead::observe;

namespace {

Status some_status() {
  Status status;
  status.version = "1.2.3";
  status.connections = 7;
  status.workers = {3, 4};
  status.lost_lines = {3, 12};
  status.tracing.sent = 11;
  status.tracing.dropped[static_cast<std::size_t>(SpanLoss::rejected)] = 5;
  return status;
}

const std::vector<BackendStatus> kBackends{
    {"chat",
     {{"10.0.0.1:80", ServerState::ready, 1, 5, true}, {"unix:/a\"b\\c\n", {}, 1, 0, false}}},
    {"web", {{"[::1]:80", ServerState::down, 2, 1, true}}}};

// Two workers that have seen a little of everything.
struct Counted {
  Counted() {
    RouteTally& first = chat->of(0);
    first.traffic[0].texts.add(3);
    first.traffic[0].bytes.add(100);
    first.controls[1][RouteTally::ping].add(2);
    first.end(SessionResult::opened);
    first.closes[chat->codes.slot(4001)][0].add();
    first.closes[chat->codes.slot(0)][2].add(2);
    first.ends[static_cast<std::size_t>(rules::Cause::client_gone)].add(2);
    chat->of(1).ends[static_cast<std::size_t>(rules::Cause::client_gone)].add();
    RouteTally& second = chat->of(1);
    second.traffic[0].texts.add(4);
    second.traffic[1].binaries.add(5);
    second.traffic[1].continuations.add(6);
    unrouted->of(1).requests[unrouted->statuses.slot(404)].add(9);
    workers[0].refuse(rules::Cause::origin_denied);
    workers[1].refuse(rules::Cause::origin_denied);
    workers[1].limit(LimitHit::messages_throttled);
    workers[0].dead_peers[1].add();
    workers[0].ping_rtt[0].add(0.003);
    workers[1].ping_rtt[0].add(20);
    workers[1].tls_handshakes[1][0].add(7);
    workers[0].session_duration.add(3);
    *open = 2;
    *connections = 6;
  }

  CounterView view() const { return {registry, {&workers[0], &workers[1]}}; }

  std::string text(const Status& status = some_status()) const {
    return "\n" + metrics_text(status, kBackends, view());
  }

  std::shared_ptr<Registry> registry = std::make_shared<Registry>();
  std::shared_ptr<RouteCounters> chat = registry->route("chat");
  std::shared_ptr<RouteCounters> unrouted = registry->route("");
  std::shared_ptr<Gauge> open = registry->sessions("chat", "pool");
  std::shared_ptr<Gauge> connections = registry->connections("0.0.0.0:443");
  std::array<WorkerCounters, 2> workers;
};

// The names of interface.md, section 8, with their types and labels.
const std::map<std::string, std::pair<std::string, std::string>> kContract{
    {"build_info", {"gauge", "version"}},
    {"config_last_reload_successful", {"gauge", ""}},
    {"connections", {"gauge", "listener"}},
    {"sessions", {"gauge", "route,backend"}},
    {"sessions_total", {"counter", "route,result"}},
    {"refused_total", {"counter", "reason"}},
    {"messages_total", {"counter", "route,direction,opcode"}},
    {"bytes_total", {"counter", "route,direction"}},
    {"close_total", {"counter", "route,code,by"}},
    {"session_ends_total", {"counter", "route,reason"}},
    {"session_duration_seconds", {"histogram", ""}},
    {"handshake_seconds", {"histogram", ""}},
    {"ping_rtt_seconds", {"histogram", "side"}},
    {"dead_peers_total", {"counter", "side"}},
    {"limit_total", {"counter", "limit,action"}},
    {"backend_up", {"gauge", "backend,server"}},
    {"backend_sessions", {"gauge", "backend,server"}},
    {"backend_connect_failures_total", {"counter", "backend,server"}},
    {"backend_connect_seconds", {"histogram", ""}},
    {"tls_handshakes_total", {"counter", "version,resumed"}},
    {"http_requests_total", {"counter", "route,status"}},
    {"worker_connections", {"gauge", "worker"}},
    {"log_lines_lost_total", {"counter", "log"}},
    {"tracing_spans_total", {"counter", ""}},
    {"tracing_dropped_total", {"counter", "reason"}},
};

std::string label_names(const std::string& text) {
  std::string names;
  const std::regex label("([a-z]+)=\"");
  for (std::sregex_iterator at(text.begin(), text.end(), label), end; at != end; ++at) {
    if ((*at)[1] == "le") continue;
    names += (names.empty() ? "" : ",") + (*at)[1].str();
  }
  return names;
}

}  // namespace

TEST_CASE("metrics: the families are those of the contract, with their labels, each announced once",
          "[observe][metrics]") {
  std::istringstream lines(Counted().text().substr(1));
  const std::regex help("# HELP fairlead_([a-z_]+) .+\\.");
  const std::regex type("# TYPE fairlead_([a-z_]+) ([a-z]+)");
  const std::regex sample(
      R"re(fairlead_([a-z_]+?)(_bucket|_sum|_count)?(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\})? [0-9.]+)re");
  std::map<std::string, std::pair<std::string, std::string>> seen;
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    std::smatch match;
    if (std::regex_match(line, match, help)) {
      family = match[1];
      REQUIRE(seen.emplace(family, std::pair("", "")).second);
    } else if (std::regex_match(line, match, type)) {
      REQUIRE(family == match[1]);
      seen[family].first = match[2];
    } else {
      REQUIRE(std::regex_match(line, match, sample));
      REQUIRE(family == match[1]);
      REQUIRE((match[2].length() != 0) == (seen[family].first == "histogram"));
      seen[family].second = label_names(match[3]);
    }
  }
  for (const auto& [name, about] : kContract) {
    CAPTURE(name);
    REQUIRE(seen.count(name) == 1);
    CHECK(seen[name] == about);
  }
  CHECK(seen.size() == kContract.size());
}

TEST_CASE("metrics: the values stand at their labels, added up over the workers",
          "[observe][metrics]") {
  const Counted counted;
  const std::string text = counted.text();
  const auto has = [&](const std::string& line) {
    return text.find("\nfairlead_" + line + "\n") != std::string::npos;
  };
  CHECK(has("build_info{version=\"1.2.3\"} 1"));
  CHECK(has("connections{listener=\"0.0.0.0:443\"} 6"));
  CHECK(has("sessions{route=\"chat\",backend=\"pool\"} 2"));
  CHECK(has("worker_connections{worker=\"1\"} 4"));
  CHECK(has("backend_up{backend=\"chat\",server=\"10.0.0.1:80\"} 1"));
  CHECK(has("backend_up{backend=\"chat\",server=\"unix:/a\\\"b\\\\c\\n\"} 0"));
  CHECK(has("backend_sessions{backend=\"web\",server=\"[::1]:80\"} 1"));
  CHECK(has("sessions_total{route=\"chat\",result=\"opened\"} 1"));
  CHECK(has("sessions_total{route=\"chat\",result=\"failed\"} 0"));
  CHECK(has("messages_total{route=\"chat\",direction=\"in\",opcode=\"text\"} 7"));
  CHECK(has("messages_total{route=\"chat\",direction=\"out\",opcode=\"binary\"} 5"));
  CHECK(has("messages_total{route=\"chat\",direction=\"out\",opcode=\"continuation\"} 6"));
  CHECK(has("messages_total{route=\"chat\",direction=\"out\",opcode=\"ping\"} 2"));
  CHECK(has("bytes_total{route=\"chat\",direction=\"in\"} 100"));
  CHECK(has("close_total{route=\"chat\",code=\"4001\",by=\"client\"} 1"));
  CHECK(has("close_total{route=\"chat\",code=\"none\",by=\"proxy\"} 2"));
  CHECK(has("session_ends_total{route=\"chat\",reason=\"client_gone\"} 3"));
  CHECK(has("session_ends_total{route=\"chat\",reason=\"backend_gone\"} 0"));
  CHECK(text.find("session_ends_total{route=\"chat\",reason=\"origin_denied\"}") == text.npos);
  CHECK(has("http_requests_total{route=\"\",status=\"404\"} 9"));
  CHECK(has("refused_total{reason=\"origin_denied\"} 2"));
  CHECK(has("refused_total{reason=\"handshake_rate\"} 0"));
  CHECK(has("limit_total{limit=\"messages\",action=\"throttle\"} 1"));
  CHECK(has("dead_peers_total{side=\"backend\"} 1"));
  CHECK(has("tls_handshakes_total{version=\"TLSv1.3\",resumed=\"false\"} 7"));
  CHECK(has("ping_rtt_seconds_bucket{side=\"client\",le=\"0.0025\"} 0"));
  CHECK(has("ping_rtt_seconds_bucket{side=\"client\",le=\"0.005\"} 1"));
  CHECK(has("ping_rtt_seconds_bucket{side=\"client\",le=\"10\"} 1"));
  CHECK(has("ping_rtt_seconds_bucket{side=\"client\",le=\"+Inf\"} 2"));
  CHECK(has("ping_rtt_seconds_sum{side=\"client\"} 20.003000"));
  CHECK(has("ping_rtt_seconds_count{side=\"client\"} 2"));
  CHECK(has("session_duration_seconds_bucket{le=\"5\"} 1"));
  CHECK(has("session_duration_seconds_count 1"));
  CHECK(has("config_last_reload_successful 1"));
  CHECK(has("log_lines_lost_total{log=\"main\"} 3"));
  CHECK(has("log_lines_lost_total{log=\"access\"} 12"));
  CHECK(has("tracing_spans_total 11"));
  CHECK(has("tracing_dropped_total{reason=\"rejected\"} 5"));
  Status status = some_status();
  status.last_reload = ReloadStatus{false, 0, 0, 1};
  CHECK(counted.text(status).find("\nfairlead_config_last_reload_successful 0\n") !=
        std::string::npos);
}

TEST_CASE("metrics: gauges of what is gone go, counts stay", "[observe][metrics]") {
  Counted counted;
  counted.chat.reset();
  counted.open.reset();
  counted.connections.reset();
  const std::string text = counted.text();
  CHECK(text.find("fairlead_sessions{") == std::string::npos);
  CHECK(text.find("fairlead_connections{") == std::string::npos);
  CHECK(text.find("fairlead_bytes_total{route=\"chat\",direction=\"in\"} 100\n") !=
        std::string::npos);
}

TEST_CASE("metrics: whatever a peer sends, a route has a bounded number of series",
          "[observe][metrics]") {
  const Counted counted;
  for (std::uint16_t code = 3000; code < 5000; ++code) {
    counted.chat->of(code % 2).closes[counted.chat->codes.slot(code)][0].add();
  }
  const std::string text = counted.text();
  std::size_t series = 0;
  for (std::size_t at = 0; (at = text.find("\nfairlead_close_total{", at)) != text.npos; ++at)
    ++series;
  CHECK(series <= ValueTable::kSlots + 1);
  CHECK(text.find("code=\"other\",by=\"client\"") != std::string::npos);
}
