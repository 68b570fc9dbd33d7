#include "proxy/observe/metrics.h"

#include "proxy/observe/exposition.h"

namespace fairlead::observe {
namespace {

constexpr auto kGauge = Family::Type::gauge;

void write_process(const Status& status, std::string& out) {
  Family(out, kGauge, "build_info", "Always 1; the version is the label.")
      .value(labels({{"version", status.version}}), 1);
  Family(out, kGauge, "config_last_reload_successful",
         "Whether the last attempt to reload the configuration took effect.")
      .value(!status.last_reload || status.last_reload->ok ? 1 : 0);
  Family workers(out, kGauge, "worker_connections", "Open client connections of a worker.");
  for (std::size_t i = 0; i < status.workers.size(); ++i) {
    workers.value(labels({{"worker", std::to_string(i)}}), status.workers[i]);
  }
}

void write_lost_lines(const LostLines& lost, std::string& out) {
  Family lines(out, Family::Type::counter, "log_lines_lost_total",
               "Lines of a log that its reader or disk did not take.");
  lines.value(labels({{"log", "main"}}), lost.main);
  lines.value(labels({{"log", "access"}}), lost.access);
}

template <class Value>
void write_servers(const std::vector<BackendStatus>& backends, Family family, Value value) {
  for (const BackendStatus& backend : backends) {
    for (const ServerStatus& server : backend.servers) {
      family.value(labels({{"backend", backend.name}, {"server", server.address}}), value(server));
    }
  }
}

}  // namespace

std::string metrics_text(const Status& status, const std::vector<BackendStatus>& backends,
                         const CounterView& counters) {
  std::string out;
  write_process(status, out);
  write_servers(backends,
                {out, kGauge, "backend_up",
                 "Whether a server works: 0 while its checks fail, and while it is ejected."},
                [](const ServerStatus& server) { return server.up ? 1U : 0U; });
  write_servers(
      backends,
      {out, kGauge, "backend_sessions", "Sessions open with a server, and requests under way."},
      [](const ServerStatus& server) { return server.sessions; });
  write_servers(backends,
                {out, Family::Type::counter, "backend_connect_failures_total",
                 "Connects to a server that failed."},
                [](const ServerStatus& server) { return server.connect_failures; });
  append_counters(counters, out);
  write_lost_lines(status.lost_lines, out);
  append_metrics(status.tracing, out);
  return out;
}

}  // namespace fairlead::observe
