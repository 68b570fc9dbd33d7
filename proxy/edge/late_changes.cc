#include "proxy/edge/late_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "proxy/observe/json.h"
#include "proxy/observe/json_value.h"

namespace fairlead::edge {
namespace {

using observe::JsonValue;

constexpr std::string_view kGo = "go";

std::string quoted(std::string_view text) {
  std::string out;
  observe::append_json_string(text, out);
  return out;
}

std::string list(const std::vector<std::string>& items) {
  return fmt::format("[{}]", fmt::join(items, ","));
}

// As it was; one that was not there is as the file has it.
Heirloom::Server server_before(const Heirloom& before, const std::string& backend,
                               const Heirloom::Server& now) {
  for (const Heirloom::Backend& one : before.backends) {
    if (one.name != backend) continue;
    const auto found = std::find_if(one.servers.begin(), one.servers.end(),
                                    [&](const auto& server) { return server.name == now.name; });
    if (found != one.servers.end()) return *found;
  }
  Heirloom::Server fresh;
  fresh.name = now.name;
  fresh.weight = now.configured_weight;
  return fresh;
}

void compare_servers(const Heirloom& before, const Heirloom& after, LateChanges& changes) {
  for (const Heirloom::Backend& backend : after.backends) {
    for (const Heirloom::Server& now : backend.servers) {
      const Heirloom::Server was = server_before(before, backend.name, now);
      LateChanges::Server change{backend.name, now.name, std::nullopt, std::nullopt};
      if (now.state != was.state) change.state = now.state;
      if (now.weight != was.weight) change.weight = now.weight;
      if (change.state || change.weight) changes.servers.push_back(std::move(change));
    }
  }
}

void compare_listeners(const Heirloom& before, const Heirloom& after, LateChanges& changes) {
  std::map<std::string, std::size_t> seen;
  for (const Heirloom::Listener& now : after.listeners) {
    const std::size_t nth = seen[now.address]++;
    std::size_t skip = nth;
    const auto was =
        std::find_if(before.listeners.begin(), before.listeners.end(),
                     [&](const auto& one) { return one.address == now.address && skip-- == 0; });
    if (now.drained != (was != before.listeners.end() && was->drained))
      changes.listeners.push_back({now.address, nth, now.drained});
  }
}

void compare_routes(const Heirloom& before, const Heirloom& after, LateChanges& changes) {
  const auto in = [](const Heirloom& one, const std::string& name) {
    const auto& all = one.drained_routes;
    return std::find(all.begin(), all.end(), name) != all.end();
  };
  for (const std::string& name : after.drained_routes) {
    if (!in(before, name)) changes.routes.push_back({name, true});
  }
  for (const std::string& name : before.drained_routes) {
    if (!in(after, name)) changes.routes.push_back({name, false});
  }
}

std::string server_text(const LateChanges::Server& server) {
  std::string out =
      fmt::format(R"({{"backend":{},"name":{})", quoted(server.backend), quoted(server.name));
  if (server.state) out += fmt::format(R"(,"state":"{}")", state_name(*server.state));
  if (server.weight) out += fmt::format(R"(,"weight":{})", *server.weight);
  return out + "}";
}

LateChanges::Server parse_server(const JsonValue& value) {
  LateChanges::Server server{value.string_of("backend"), value.string_of("name"), std::nullopt,
                             std::nullopt};
  server.state = parse_state(value.string_of("state"));
  if (value.find("weight") != nullptr) server.weight = bounded_weight(value.number_of("weight"));
  return server;
}

}  // namespace

LateChanges LateChanges::between(const Heirloom& before, const Heirloom& after) {
  LateChanges changes;
  compare_servers(before, after, changes);
  compare_listeners(before, after, changes);
  compare_routes(before, after, changes);
  return changes;
}

std::string LateChanges::text() const {
  std::vector<std::string> server_texts;
  std::vector<std::string> listener_texts;
  std::vector<std::string> route_texts;
  for (const Server& one : servers) server_texts.push_back(server_text(one));
  for (const Listener& one : listeners) {
    listener_texts.push_back(fmt::format(R"({{"address":{},"nth":{},"drained":{}}})",
                                         quoted(one.address), one.nth, one.drained));
  }
  for (const Route& one : routes) {
    route_texts.push_back(
        fmt::format(R"({{"name":{},"drained":{}}})", quoted(one.name), one.drained));
  }
  return fmt::format(R"({{"servers":{},"listeners":{},"routes":{},"reload":{}}})",
                     list(server_texts), list(listener_texts), list(route_texts), reload);
}

std::optional<LateChanges> LateChanges::parse(std::string_view text) {
  const auto value = observe::parse_json(text);
  if (!value || value->kind != JsonValue::Kind::object) return std::nullopt;
  LateChanges changes;
  for (const JsonValue& one : value->items_of("servers"))
    changes.servers.push_back(parse_server(one));
  for (const JsonValue& one : value->items_of("listeners")) {
    changes.listeners.push_back({one.string_of("address"),
                                 static_cast<std::size_t>(std::max(0.0, one.number_of("nth"))),
                                 one.flag_of("drained")});
  }
  for (const JsonValue& one : value->items_of("routes"))
    changes.routes.push_back({one.string_of("name"), one.flag_of("drained")});
  changes.reload = value->flag_of("reload");
  return changes;
}

void LateChanges::apply(Heirloom& waiting) const {
  for (const Server& change : servers) {
    for (Heirloom::Backend& backend : waiting.backends) {
      if (backend.name != change.backend) continue;
      for (Heirloom::Server& server : backend.servers) {
        if (server.name != change.name) continue;
        if (change.state) server.state = *change.state;
        if (change.weight) server.weight = *change.weight;
      }
    }
  }
}

std::string release_text(const LateChanges& changes) {
  if (changes.size() == 0) return "go\n";
  return fmt::format("{} {}\n", kGo, changes.text());
}

std::optional<LateChanges> parse_release(std::string_view text) {
  if (text.empty()) return LateChanges{};
  if (text.back() != '\n' || text.substr(0, kGo.size()) != kGo) return std::nullopt;
  text = text.substr(kGo.size(), text.size() - kGo.size() - 1);
  return text.empty() ? LateChanges{} : LateChanges::parse(text);
}

}  // namespace fairlead::edge
