#include "proxy/observe/admin_json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "conf/units.h"
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

std::string drain_object(const DrainStatus& drain) {
  const conf::Rate rate{drain.rate, 0};
  return fmt::format(
      R"({{"id":{},"what":{},"rate":{},"total":{},"left":{},"told":{},"counted":{},"started":{}}})",
      drain.id, text(drain.what),
      text(drain.rate > 0 ? conf::rate_text(rate, conf::RateOf::events) : "off"), drain.total,
      drain.left, drain.told, drain.counted, time_text(drain.started));
}

// "off" is a rate too: all at once.
std::optional<conf::Rate> parse_rate(const JsonValue& value, std::string& error) {
  std::optional<conf::Rate> rate;
  if (value.kind == JsonValue::Kind::string && value.text == "off") rate.emplace();
  if (value.kind == JsonValue::Kind::string && !rate)
    rate = conf::parse_rate(value.text, conf::RateOf::events);
  if (!rate) error = R"(rate must be such as "50/s", "600/m" or "off" (all at once))";
  return rate;
}

std::string certificate_json(const CertificateStatus& one) {
  return fmt::format(R"({{"listener":{},"names":{},"not_after":{}}})", text(one.listener),
                     list(one.names, text), time_text(one.not_after));
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
    case ServerState::ejected:
      return "ejected";
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
  out += fmt::format(R"("workers":{},"listeners":{},"last_reload":{},"drains":{},)",
                     list(status.workers, worker), list(status.listeners, listener),
                     reload_json(status.last_reload), list(status.drains, drain_object));
  out += fmt::format(R"("servers":{{"ready":{},"ejected":{},"down":{},"drain":{}}},)",
                     status.servers.ready, status.servers.ejected, status.servers.down,
                     status.servers.drain);
  out += fmt::format(R"("certificates":{})", list(status.certificates, certificate_json));
  if (status.upgrade) out += ",\"upgrade\":" + upgrade_json(status.upgrade);
  return out + "}\n";
}

std::string server_json(const ServerStatus& server) {
  std::string out = fmt::format(
      R"({{"address":{},"state":"{}","weight":{},"sessions":{},"up":{},"set":"{}","checked":{})",
      text(server.address), state_word(server.state), server.weight, server.sessions, server.up,
      state_word(server.set), server.checked);
  if (!server.reason.empty()) out += R"(,"reason":)" + text(server.reason);
  if (server.since) out += R"(,"since":)" + time_text(*server.since);
  if (server.state == ServerState::ejected)
    out += fmt::format(R"(,"seconds_left":{:.1f})", server.seconds_left);
  if (!server.last_error.empty()) {
    out += R"(,"last_error":)" + text(server.last_error) + R"(,"last_error_at":)" +
           time_text(server.last_error_at);
  }
  if (!server.from.empty()) out += R"(,"resolved_from":)" + text(server.from);
  return out + "}";
}

std::string backends_json(const std::vector<BackendStatus>& backends) {
  const auto backend = [](const BackendStatus& one) {
    return fmt::format(R"({{"name":{},"servers":{}}})", text(one.name),
                       list(one.servers, server_json));
  };
  return fmt::format(R"({{"backends":{}}})", list(backends, backend)) + "\n";
}

std::string tick_json(const Control& control, std::int64_t at_ms) {
  // Both end with a newline; an event's data is one line.
  std::string status = status_json(control.status());
  status.pop_back();
  std::string backends = backends_json(control.backends());
  backends.resize(backends.size() - 2);  // its closing brace too
  return fmt::format(R"({{"at":{},"status":{},{},"totals":{}}})", at_ms, status,
                     std::string_view(backends).substr(1), control.totals_json());
}

std::string error_json(std::string_view why, const std::vector<std::string>& problems) {
  std::string out = R"({"error":)" + text(why);
  if (!problems.empty()) out += R"(,"problems":)" + list(problems, text);
  return out + "}\n";
}

std::string drains_json(const std::vector<DrainStatus>& drains) {
  return R"({"drains":)" + list(drains, drain_object) + "}\n";
}

std::string drain_json(std::string_view about, const Outcome& outcome,
                       const std::vector<DrainStatus>& drains) {
  std::string drain = "null";
  for (const DrainStatus& one : drains) {
    if (one.id == outcome.drain && outcome.drain != 0) drain = drain_object(one);
  }
  return fmt::format("{{{},\"changed\":{},\"drain\":{}}}\n", about, outcome.changed, drain);
}

std::optional<conf::Rate> parse_drain_rate(std::string_view body, std::string& error) {
  if (body.empty()) return std::nullopt;
  const auto parsed = parse_json(body);
  if (!parsed || parsed->kind != JsonValue::Kind::object) {
    error = R"(the body must be JSON such as {"rate":"50/s"}, or none)";
    return std::nullopt;
  }
  std::optional<conf::Rate> rate;
  for (const auto& [name, value] : parsed->members) {
    if (name != "rate") error = "unknown key \"" + name.substr(0, 64) + "\": there is rate";
    if (name == "rate") rate = parse_rate(value, error);
    if (!error.empty()) return std::nullopt;
  }
  return rate;
}

// A server's change without what only a server has.
std::optional<DrainChange> parse_drain_change(std::string_view body, std::string& error) {
  const auto change = parse_change(body, error);
  if (!change) return std::nullopt;
  if (!change->state || change->weight || change->state == ServerState::down) {
    error = R"(this takes a state, "ready" or "drain", and a rate with "drain")";
    return std::nullopt;
  }
  return DrainChange{change->state == ServerState::drain, change->rate};
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
    } else if (name == "rate") {
      change.rate = parse_rate(value, error);
    } else {
      error = "unknown key \"" + name.substr(0, 64) + "\": there are state, weight and rate";
    }
    if (!error.empty()) return std::nullopt;
  }
  if (parsed->members.empty()) {
    error = "nothing to change: give state, weight or both";
    return std::nullopt;
  }
  if (change.rate && change.state != ServerState::drain) {
    error = R"(a rate goes with {"state":"drain"})";
    return std::nullopt;
  }
  return change;
}

}  // namespace fairlead::observe
