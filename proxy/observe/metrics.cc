#include "proxy/observe/metrics.h"

#include <fmt/format.h>

#include <iterator>

namespace fairlead::observe {
namespace {

// A family's lines stand together, behind its HELP and TYPE.
class Family {
 public:
  Family(std::string& out, std::string_view name, std::string_view help) : out_(out), name_(name) {
    fmt::format_to(std::back_inserter(out_), "# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
  }

  void value(std::uint64_t value) { line("", value); }

  void value(const std::string& labels, std::uint64_t value) { line("{" + labels + "}", value); }

 private:
  void line(const std::string& labels, std::uint64_t value) {
    fmt::format_to(std::back_inserter(out_), "{}{} {}\n", name_, labels, value);
  }

  std::string& out_;
  std::string_view name_;
};

std::string server_labels(const BackendStatus& backend, const ServerStatus& server) {
  return "backend=" + label_value(backend.name) + ",server=" + label_value(server.address);
}

void write_process(const Status& status, std::string& out) {
  Family(out, "fairlead_build_info", "Always 1; the version is the label.")
      .value("version=" + label_value(status.version), 1);
  Family(out, "fairlead_config_last_reload_successful",
         "Whether the last attempt to reload the configuration took effect.")
      .value(!status.last_reload || status.last_reload->ok ? 1 : 0);
  Family(out, "fairlead_connections", "Open client connections.").value(status.connections);
  Family workers(out, "fairlead_worker_connections", "Open client connections of a worker.");
  for (std::size_t i = 0; i < status.workers.size(); ++i) {
    workers.value("worker=" + label_value(std::to_string(i)), status.workers[i]);
  }
}

}  // namespace

std::string label_value(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string metrics_text(const Status& status, const std::vector<BackendStatus>& backends) {
  std::string out;
  write_process(status, out);
  append_metrics(status.tracing, out);
  {
    Family up(out, "fairlead_backend_up", "Whether the checks find a server able to work.");
    for (const BackendStatus& backend : backends) {
      for (const ServerStatus& server : backend.servers) {
        up.value(server_labels(backend, server), server.up ? 1 : 0);
      }
    }
  }
  Family sessions(out, "fairlead_backend_sessions",
                  "Sessions open with a server, and requests under way.");
  for (const BackendStatus& backend : backends) {
    for (const ServerStatus& server : backend.servers) {
      sessions.value(server_labels(backend, server), server.sessions);
    }
  }
  return out;
}

}  // namespace fairlead::observe
