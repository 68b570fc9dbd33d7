#include "proxy/edge/heirloom.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "proxy/edge/runtime.h"
#include "proxy/observe/json.h"
#include "proxy/observe/json_value.h"
#include "tls/ticket_keys.h"

namespace fairlead::edge {
namespace {

using balance::AdminState;
using observe::JsonValue;
using Version = conf::ListenerTls::Version;

constexpr double kFormat = 1;
constexpr double kWeightMost = 1000;  // as in the configuration
constexpr std::array<std::string_view, 3> kStates = {"ready", "drain", "down"};

std::string quoted(std::string_view text) {
  std::string out;
  observe::append_json_string(text, out);
  return out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

// "" for what is no hexadecimal text.
std::string unhex(std::string_view text) {
  std::string out;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return "";
    out += static_cast<char>(high * 16 + low);
  }
  return text.size() % 2 == 0 ? out : "";
}

template <class Items, class Write>
std::string list(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += write(item);
  }
  return out + "]";
}

std::string listener_text(const Heirloom::Listener& listener) {
  return fmt::format(R"({{"address":{},"ticket_keys":"{}","ticket_key_age":{},)"
                     R"("min_version":"{}","drained":{}}})",
                     quoted(listener.address), hex(listener.ticket_keys),
                     listener.ticket_key_age.count(),
                     listener.min_version == Version::tls13 ? "1.3" : "1.2", listener.drained);
}

std::string server_text(const Heirloom::Server& server) {
  return fmt::format(R"({{"name":{},"state":"{}","weight":{},"configured_weight":{},"up":{}}})",
                     quoted(server.name), state_name(server.state), server.weight,
                     server.configured_weight, server.up);
}

std::string backend_text(const Heirloom::Backend& backend) {
  return fmt::format(R"({{"name":{},"secret":"{}","servers":{}}})", quoted(backend.name),
                     hex(backend.secret), list(backend.servers, server_text));
}

Heirloom::Server parse_server(const JsonValue& value) {
  Heirloom::Server server;
  server.name = value.string_of("name");
  server.state = parse_state(value.string_of("state")).value_or(AdminState::ready);
  server.weight = bounded_weight(value.number_of("weight"));
  server.configured_weight = bounded_weight(value.number_of("configured_weight"));
  const JsonValue* up = value.find("up");
  server.up = up == nullptr || up->kind != JsonValue::Kind::boolean || up->boolean;
  return server;
}

// Bounded, so that no number is too large for a duration; a key is used for hours.
std::chrono::seconds age_of(const JsonValue& listener) {
  constexpr double kMost = 1e6;
  return std::chrono::seconds{
      static_cast<long>(std::clamp(listener.number_of("ticket_key_age"), 0.0, kMost))};
}

Heirloom::Backend parse_backend(const JsonValue& value) {
  Heirloom::Backend backend{value.string_of("name"), unhex(value.string_of("secret")), {}};
  for (const JsonValue& server : value.items_of("servers"))
    backend.servers.push_back(parse_server(server));
  return backend;
}

}  // namespace

std::string_view state_name(AdminState state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::optional<AdminState> parse_state(std::string_view name) {
  const auto* found = std::find(kStates.begin(), kStates.end(), name);
  if (found == kStates.end()) return std::nullopt;
  return static_cast<AdminState>(found - kStates.begin());
}

std::uint32_t bounded_weight(double weight) {
  return static_cast<std::uint32_t>(std::clamp(weight, 1.0, kWeightMost));
}

Heirloom Heirloom::of(const Runtime& runtime) {
  Heirloom heirloom;
  for (const ListenerRuntime& one : runtime.listeners()) {
    Listener listener{
        one.settings->address.text(), "", {}, Version::tls12, one.gate->closed.load()};
    if (one.tls) {
      listener.min_version = one.settings->tls->min_version;
      listener.ticket_keys = one.tls->made_ticket_keys();
      listener.ticket_key_age = one.tls->ticket_keys()->age(net::Clock::now());
    }
    heirloom.listeners.push_back(std::move(listener));
  }
  if (runtime.config().admin.listen) heirloom.admin = runtime.config().admin.listen->text();
  for (const auto& pool : runtime.pools()) {
    Backend backend{pool->name(), "", {}};
    if (pool->sticky()) backend.secret = pool->sticky()->made_secret();
    for (const auto& server : pool->servers()) {
      backend.servers.push_back({server->name, server->admin.load(), server->weight.load(),
                                 server->configured_weight, server->up.load()});
    }
    heirloom.backends.push_back(std::move(backend));
  }
  for (const RouteRuntime& route : runtime.routes()) {
    if (route.gate->closed.load()) heirloom.drained_routes.push_back(route.settings->name);
  }
  return heirloom;
}

std::string Heirloom::text() const {
  return fmt::format(
      R"({{"format":{},"listeners":{},"admin":{},"backends":{},"drained_routes":{}}})", kFormat,
      list(listeners, listener_text), quoted(admin), list(backends, backend_text),
      list(drained_routes, quoted));
}

std::optional<Heirloom> Heirloom::parse(std::string_view text) {
  const auto value = observe::parse_json(text);
  if (!value || value->number_of("format") != kFormat) return std::nullopt;
  Heirloom heirloom;
  for (const JsonValue& one : value->items_of("listeners")) {
    heirloom.listeners.push_back(
        {one.string_of("address"), unhex(one.string_of("ticket_keys")), age_of(one),
         one.string_of("min_version") == "1.3" ? Version::tls13 : Version::tls12,
         one.flag_of("drained")});
  }
  heirloom.admin = value->string_of("admin");
  for (const JsonValue& one : value->items_of("backends"))
    heirloom.backends.push_back(parse_backend(one));
  for (const JsonValue& one : value->items_of("drained_routes"))
    heirloom.drained_routes.push_back(one.text);
  return heirloom;
}

std::vector<std::string> Heirloom::addresses() const {
  std::vector<std::string> all;
  for (const Listener& listener : listeners) all.push_back(listener.address);
  if (!admin.empty()) all.push_back(admin);
  return all;
}

// As at a reload: not where what tickets vouch for is weaker than what is asked now.
const Heirloom::Listener* Heirloom::with_tickets_of(const conf::Listener& listener) const {
  for (const Listener& one : listeners) {
    if (one.address == listener.address.text() && listener.tls &&
        one.min_version == listener.tls->min_version) {
      return &one;
    }
  }
  return nullptr;
}

std::string_view Heirloom::ticket_keys(const conf::Listener& listener) const {
  const Listener* one = with_tickets_of(listener);
  return one == nullptr ? std::string_view() : one->ticket_keys;
}

std::chrono::seconds Heirloom::ticket_key_age(const conf::Listener& listener) const {
  const Listener* one = with_tickets_of(listener);
  return one == nullptr ? std::chrono::seconds{} : one->ticket_key_age;
}

std::string_view Heirloom::secret(const std::string& backend) const {
  for (const Backend& one : backends) {
    if (one.name == backend) return one.secret;
  }
  return "";
}

void Heirloom::bequeath(const Runtime& runtime) {
  // As their sockets: an address that stands there twice is met in order.
  for (const ListenerRuntime& one : runtime.listeners()) {
    const auto before = std::find_if(listeners.begin(), listeners.end(), [&](const auto& old) {
      return old.address == one.settings->address.text();
    });
    if (before == listeners.end()) continue;
    if (before->drained) one.gate->closed.store(true);
    listeners.erase(before);
  }
  for (const RouteRuntime& route : runtime.routes()) {
    if (std::erase(drained_routes, route.settings->name) != 0) route.gate->closed.store(true);
  }
  for (std::size_t i = 0; i < runtime.pools().size(); ++i) {
    balance::Pool& pool = *runtime.pools()[i];
    const auto backend = std::find_if(backends.begin(), backends.end(),
                                      [&](const auto& one) { return one.name == pool.name(); });
    if (backend == backends.end()) continue;
    bequeath(*backend, pool, runtime.config().backends[i].health.has_value());
  }
}

void Heirloom::bequeath(Backend& backend, balance::Pool& pool, bool checked) {
  for (std::size_t i = 0; i < pool.size(); ++i) {
    balance::PoolServer& server = pool.server(i);
    const auto before = std::find_if(backend.servers.begin(), backend.servers.end(),
                                     [&](const Server& one) { return one.name == server.name; });
    if (before == backend.servers.end()) continue;
    server.admin.store(before->state);
    if (server.configured_weight == before->configured_weight) server.weight = before->weight;
    // Without checks nothing would ever bring it up.
    if (checked && !before->up) pool.set_up(i, false);
    backend.servers.erase(before);
  }
}

}  // namespace fairlead::edge
