#include "proxy/observe/admin_json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "proxy/observe/admin.h"
#include "proxy/observe/json.h"
#include "proxy/observe/json_value.h"

namespace fairlead::observe {
namespace {

constexpr double kWeightMost = 1000;  // as in the configuration

std::string text(std::string_view value) {
  std::string out;
  append_json_string(value, out);
  return out;
}

std::string time_text(std::time_t time) {
  return fmt::format("\"{:%Y-%m-%dT%H:%M:%SZ}\"", fmt::gmtime(time));
}

// [a,b] of what `write` makes of each.
template <class Items, class Write>
std::string list(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += write(item);
  }
  return out + "]";
}

std::string reload_json(const std::optional<ReloadStatus>& reload) {
  if (!reload) return "null";
  return fmt::format(R"({{"ok":{},"at":{},"succeeded":{},"failed":{}}})", reload->ok,
                     time_text(reload->at), reload->succeeded, reload->failed);
}

bool parse_state(const JsonValue& value, ServerChange& out) {
  static constexpr std::array kStates = {ServerState::ready, ServerState::drain, ServerState::down};
  for (const ServerState state : kStates) {
    if (value.kind == JsonValue::Kind::string && value.text == state_word(state)) out.state = state;
  }
  return out.state.has_value();
}

bool parse_weight(const JsonValue& value, ServerChange& out) {
  const double number = value.number;
  if (value.kind != JsonValue::Kind::number || number != std::floor(number)) return false;
  if (number < 1 || number > kWeightMost) return false;
  out.weight = static_cast<std::uint32_t>(number);
  return true;
}

}  // namespace

std::string_view state_word(ServerState state) {
  switch (state) {
    case ServerState::ready:
      return "ready";
    case ServerState::drain:
      return "drain";
    case ServerState::down:
      return "down";
  }
  return "";
}

std::string upgrade_json(const std::optional<UpgradeStatus>& upgrade) {
  if (!upgrade) return "null";
  static constexpr std::array<std::string_view, 3> kStates = {"running", "failed", "done"};
  std::string out = fmt::format(R"({{"state":"{}","pid":{})",
                                kStates[static_cast<std::size_t>(upgrade->state)], upgrade->pid);
  if (!upgrade->error.empty()) out += ",\"error\":" + text(upgrade->error);
  return out + "}";
}

std::string status_json(const Status& status) {
  std::size_t number = 0;
  const auto worker = [&number](std::uint32_t connections) {
    return fmt::format(R"({{"worker":{},"connections":{}}})", number++, connections);
  };
  const auto listener = [](const ListenerStatus& one) {
    return fmt::format(R"({{"address":{},"tls":{}}})", text(one.address), one.tls);
  };
  std::string out = fmt::format(
      R"({{"version":{},"pid":{},"started":{},"uptime_s":{:.3f},"draining":{},"connections":{},)"
      R"("max_connections":{},"sessions":{},)",
      text(status.version), status.pid, time_text(status.started), status.uptime, status.draining,
      status.connections, status.max_connections, status.sessions);
  out +=
      fmt::format(R"("workers":{},"listeners":{},"last_reload":{})", list(status.workers, worker),
                  list(status.listeners, listener), reload_json(status.last_reload));
  if (status.upgrade) out += ",\"upgrade\":" + upgrade_json(status.upgrade);
  return out + "}\n";
}

std::string server_json(const ServerStatus& server) {
  return fmt::format(R"({{"address":{},"state":"{}","weight":{},"sessions":{},"up":{}}})",
                     text(server.address), state_word(server.state), server.weight, server.sessions,
                     server.up);
}

std::string backends_json(const std::vector<BackendStatus>& backends) {
  const auto backend = [](const BackendStatus& one) {
    return fmt::format(R"({{"name":{},"servers":{}}})", text(one.name),
                       list(one.servers, server_json));
  };
  return fmt::format(R"({{"backends":{}}})", list(backends, backend)) + "\n";
}

std::string error_json(std::string_view why, const std::vector<std::string>& problems) {
  std::string out = R"({"error":)" + text(why);
  if (!problems.empty()) out += R"(,"problems":)" + list(problems, text);
  return out + "}\n";
}

std::optional<ServerChange> parse_change(std::string_view body, std::string& error) {
  const auto parsed = parse_json(body);
  if (!parsed || parsed->kind != JsonValue::Kind::object) {
    error = R"(the body must be JSON such as {"state":"drain"} or {"weight":2})";
    return std::nullopt;
  }
  ServerChange change;
  for (const auto& [name, value] : parsed->members) {
    if (name == "state") {
      if (!parse_state(value, change)) error = R"(state must be "ready", "drain" or "down")";
    } else if (name == "weight") {
      if (!parse_weight(value, change)) error = "weight must be an integer, 1 to 1000";
    } else {
      error = "unknown key \"" + name.substr(0, 64) + "\": there are state and weight";
    }
    if (!error.empty()) return std::nullopt;
  }
  if (parsed->members.empty()) {
    error = "nothing to change: give state, weight or both";
    return std::nullopt;
  }
  return change;
}

}  // namespace fairlead::observe
