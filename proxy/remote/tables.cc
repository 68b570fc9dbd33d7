#include "proxy/remote/tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/wire/visible_text.h"

namespace fairlead::remote {
namespace {

using observe::JsonValue;

std::string count(const JsonValue& of, std::string_view name) {
  return fmt::format("{:.0f}", of.number_of(name));
}

// Characters, not bytes: those that continue one (RFC 3629) take no room.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string listeners_text(const JsonValue& status) {
  std::string out;
  for (const JsonValue& listener : status.items_of("listeners")) {
    if (!out.empty()) out += ", ";
    out += listener.string_of("address");
    if (listener.flag_of("tls")) out += " (tls)";
  }
  return out;
}

std::string workers_text(const JsonValue& status) {
  std::string out;
  for (const JsonValue& worker : status.items_of("workers")) {
    out += (out.empty() ? "" : " ") + count(worker, "connections");
  }
  return out;
}

std::string reload_text(const JsonValue& status) {
  const JsonValue* last = status.find("last_reload");
  if (last == nullptr || last->kind != JsonValue::Kind::object) return "none yet";
  return (last->flag_of("ok") ? "ok at " : "FAILED at ") + last->string_of("at");
}

// Whether any server has that: else nobody has to see the column.
bool any_has(const JsonValue& backends, std::string_view name) {
  for (const JsonValue& backend : backends.items_of("backends")) {
    for (const JsonValue& server : backend.items_of("servers")) {
      if (!server.string_of(name).empty()) return true;
    }
  }
  return false;
}

std::string state_text(const JsonValue& server) {
  const std::string state = server.string_of("state");
  if (state != "ejected") return state;
  return fmt::format("{}, {:.0f}s left", state, server.number_of("seconds_left"));
}

// What a server that does not work suffers from, or what was wrong with it last.
std::string why_text(const JsonValue& server) {
  const std::string reason = server.string_of("reason");
  if (!reason.empty()) return reason;
  const std::string last = server.string_of("last_error");
  return last.empty() ? "-" : "last error at " + server.string_of("last_error_at") + ": " + last;
}

// "3 ready, 1 ejected"; "" where an older Fairlead does not say.
std::string servers_text(const JsonValue& status) {
  const JsonValue* servers = status.find("servers");
  if (servers == nullptr) return "";
  std::string out;
  for (const char* state : {"ready", "ejected", "down", "drain"}) {
    if (servers->number_of(state) == 0) continue;
    out += (out.empty() ? "" : ", ") + count(*servers, state) + " " + state;
  }
  return out.empty() ? "none" : out;
}

}  // namespace

std::string printable(std::string_view text) {
  return wire::visible_text(text);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::clamp(seconds, 0.0, 1e12));
  const std::uint64_t minutes = whole / 60;
  const std::uint64_t hours = minutes / 60;
  if (hours >= 24) return fmt::format("{}d {}h", hours / 24, hours % 24);
  if (hours != 0) return fmt::format("{}h {}m", hours, minutes % 60);
  if (minutes != 0) return fmt::format("{}m {}s", minutes, whole % 60);
  return fmt::format("{}s", whole);
}

std::string table(std::vector<std::vector<std::string>> rows) {
  std::vector<std::size_t> widths;
  for (auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = printable(row[i]);
      widths[i] = std::max(widths[i], width(row[i]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 != row.size()) out.append(widths[i] - width(row[i]) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string drain_text(const JsonValue& drain) {
  const std::string what = "draining " + printable(drain.string_of("what")) + ": ";
  if (!drain.flag_of("counted")) return what + "begins";
  if (drain.number_of("left") == 0) return what + "done, " + count(drain, "told") + " moved";
  const std::string rate = drain.string_of("rate");
  return what + count(drain, "left") + " of " + count(drain, "total") + " sessions left, " +
         (rate == "off" ? "all at once" : printable(rate));
}

std::string status_text(const JsonValue& status) {
  const std::string state = status.flag_of("draining") ? "draining" : "serving";
  std::string drains;
  for (const JsonValue& drain : status.items_of("drains")) drains += drain_text(drain) + "\n";
  std::vector<std::vector<std::string>> rows{
      {"version", status.string_of("version") + ", process " + count(status, "pid")},
      {"state", state + ", up " + duration_text(status.number_of("uptime_s"))},
      {"listening", listeners_text(status)},
      {"connections", count(status, "connections") + " of " + count(status, "max_connections")},
      {"per worker", workers_text(status)},
      {"sessions", count(status, "sessions")},
      {"last reload", reload_text(status)},
  };
  if (const std::string servers = servers_text(status); !servers.empty())
    rows.push_back({"servers", servers});
  const JsonValue* upgrade = status.find("upgrade");
  if (upgrade != nullptr && upgrade->kind == JsonValue::Kind::object) {
    const std::string why = upgrade->string_of("error");
    rows.push_back({"upgrade", upgrade->string_of("state") + ", process " + count(*upgrade, "pid") +
                                   (why.empty() ? "" : ": " + why)});
  }
  return table(rows) + drains;
}

std::string backends_text(const JsonValue& backends) {
  std::vector<std::vector<std::string>> rows{
      {"BACKEND", "SERVER", "STATE", "UP", "WEIGHT", "SESSIONS"}};
  const bool resolved = any_has(backends, "resolved_from");
  const bool failed = any_has(backends, "reason") || any_has(backends, "last_error");
  if (resolved) rows.front().emplace_back("FROM");
  if (failed) rows.front().emplace_back("WHY");
  for (const JsonValue& backend : backends.items_of("backends")) {
    for (const JsonValue& server : backend.items_of("servers")) {
      rows.push_back({backend.string_of("name"), server.string_of("address"), state_text(server),
                      server.flag_of("up") ? "yes" : "no", count(server, "weight"),
                      count(server, "sessions")});
      const bool named = server.find("resolved_from") != nullptr;
      if (resolved) rows.back().push_back(named ? server.string_of("resolved_from") : "-");
      if (failed) rows.back().push_back(why_text(server));
    }
  }
  return table(rows);
}

}  // namespace fairlead::remote
