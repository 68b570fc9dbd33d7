#include "conf/check.h"

#include <algorithm>
#include <string>

#include "conf/values.h"

namespace fairlead::conf {
namespace {

template <typename T>
void check_names(const std::vector<Located<T>>& tables, const std::string& advice) {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto& name = tables[i].value.name;
    for (std::size_t j = 0; j < i && !name.empty(); ++j) {
      if (tables[j].value.name != name) continue;
      const std::string before = tables[j].scope.place(value_of(tables[j], "name"));
      tables[i].scope.problem(
          value_of(tables[i], "name"),
          "the name " + in_quotes(name) + " is taken (" + before + ")" + advice);
      break;
    }
  }
}

bool covers(const Ip& any, const Ip& other) {
  if (any == Ip{}) return true;  // [::] takes IPv4 too
  return any == Ip::v4(0) && other.is_v4();
}

bool overlap(const Address& a, const Address& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == Address::Kind::unix_path) return a.host == b.host;
  if (a.port != b.port || a.port == 0) return false;
  return a.ip == b.ip || covers(a.ip, b.ip) || covers(b.ip, a.ip);
}

void check_overlaps(const std::vector<Located<Listener>>& listeners) {
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const Address& address = listeners[i].value.address;
    for (std::size_t j = 0; j < i; ++j) {
      if (!overlap(address, listeners[j].value.address)) continue;
      const Node& before = value_of(listeners[j], "address");
      listeners[i].scope.problem(value_of(listeners[i], "address"),
                                 "address: overlaps with listener " + std::to_string(j + 1) + " (" +
                                     listeners[j].value.address.text() + ", " +
                                     listeners[j].scope.place(before) + ")");
      break;
    }
  }
}

void check_listener(const Located<Listener>& listener) {
  if (listener.value.redirect_to_https && listener.value.tls) {
    listener.scope.problem(value_of(listener, "redirect_to_https"),
                           "redirect_to_https: this listener speaks TLS itself");
  }
  const bool trusted = listener.node->find("trusted_proxies") != nullptr &&
                       !value_of(listener, "trusted_proxies").children.empty();
  if (listener.value.proxy_protocol && !trusted) {
    listener.scope.problem(value_of(listener, "proxy_protocol"),
                           "proxy_protocol: needs trusted_proxies, or anyone could send a header");
  }
}

// Whoever reaches the endpoint may see, and with the token steer: see interface and manual.
void check_admin(const Located<Admin>& admin, const std::vector<Located<Listener>>& listeners) {
  const Admin& tokens = admin.value;
  if (!tokens.read_token.empty() && tokens.read_token == tokens.token) {
    admin.scope.problem(value_of(admin, "read_token_file"),
                        "read_token_file: holds the token of token_file, which may act");
  }
  if (!admin.value.listen) return;
  const Address& address = *admin.value.listen;
  const Node& listen = value_of(admin, "listen");
  if (address.kind == Address::Kind::ip && !address.ip.is_loopback() &&
      admin.node->find("token_file") == nullptr) {
    admin.scope.problem(listen, "listen: " + in_quotes(address.text()) +
                                    " is open to other machines: this needs token_file");
  }
  for (const auto& listener : listeners) {
    if (!overlap(address, listener.value.address)) continue;
    admin.scope.problem(listen, "listen: overlaps with the listener " +
                                    in_quotes(listener.value.address.text()) + " (" +
                                    listener.scope.place(value_of(listener, "address")) + ")");
  }
}

void check_dns(const Located<Dns>& dns) {
  if (dns.value.min_ttl <= dns.value.max_ttl) return;
  dns.scope.problem(value_of(dns, "min_ttl"), "min_ttl: is longer than max_ttl");
}

void check_hash_key(const Located<Backend>& backend) {
  const Node* key = backend.node->find("hash_key");
  if (key == nullptr || backend.value.balance == Backend::Balance::hash) return;
  backend.scope.problem(*key, "hash_key: only balance = \"hash\" goes by it");
}

// Keys that the check's type has no use for.
void check_health(const Located<Backend>& backend) {
  if (!backend.value.health || value_of(backend, "health").find("type") == nullptr) return;
  const auto refuse = [&](const char* key, const char* types) {
    const Node* set = value_of(backend, "health").find(key);
    if (set == nullptr) return;
    backend.scope.problem(*set, std::string("health: ") + key + ": only a check of type " + types);
  };
  const Health::Type type = backend.value.health->type;
  if (type != Health::Type::http) refuse("status", "\"http\" has an answer's status to look at");
  if (type != Health::Type::websocket) refuse("subprotocol", "\"websocket\" offers one");
  if (type != Health::Type::tcp) return;
  refuse("path", "\"http\" or \"websocket\" asks for one");
  refuse("host", "\"http\" or \"websocket\" sends one");
}

void check_backups(const Located<Backend>& backend) {
  const auto& servers = backend.value.servers;
  const bool all = std::all_of(servers.begin(), servers.end(),
                               [](const BackendServer& server) { return server.backup; });
  if (servers.empty() || !all) return;
  backend.scope.problem(value_of(backend, "servers"),
                        "servers: all are backups: of what? One at least has to do the work");
}

// The key would lead a moved session back to where it was.
void check_rebalance(const Located<Backend>& backend) {
  if (!backend.value.rebalance || backend.value.balance != Backend::Balance::hash) return;
  backend.scope.problem(
      value_of(backend, "rebalance"),
      "rebalance: does not go with balance = \"hash\", which binds each session to its server");
}

void check_servers(const Located<Backend>& backend) {
  const auto& servers = backend.value.servers;
  const Node& list = value_of(backend, "servers");
  // With a server that could not be read, values and nodes do not match: wait until it can.
  if (list.children.size() != servers.size()) return;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!(servers[i].address == servers[j].address) || servers[i].address == Address{}) continue;
      backend.scope.problem(list.children[i],
                            "servers: " + in_quotes(servers[i].address.text()) + " is there twice");
      break;
    }
  }
}

void check_backend_exists(const Located<Route>& route, const std::vector<std::string>& backends) {
  const std::string& name = route.value.backend;
  if (name.empty() || std::find(backends.begin(), backends.end(), name) != backends.end()) return;
  route.scope.problem(
      value_of(route, "backend"),
      "backend: there is no backend " + in_quotes(name) + did_you_mean(name, backends));
}

// "any" lets everything in, whatever stands beside it.
void check_origins(const Located<Route>& route) {
  const auto& origins = route.value.origins;
  const bool any = std::any_of(origins.begin(), origins.end(), [](const OriginPattern& one) {
    return one.kind == OriginPattern::Kind::any;
  });
  if (!any || origins.size() == 1) return;
  route.scope.problem(value_of(route, "origins"),
                      "origins: \"any\" switches the check off, so the others mean nothing: leave "
                      "either it or them out");
}

}  // namespace

void check_tables(const Tables& tables) {
  check_names(tables.routes, "; a route without a name takes its backend's");
  check_names(tables.backends, "");
  check_overlaps(tables.listeners);
  if (tables.admin) check_admin(*tables.admin, tables.listeners);
  if (tables.dns) check_dns(*tables.dns);
  for (const auto& listener : tables.listeners) check_listener(listener);
  for (const auto& route : tables.routes) check_origins(route);
  for (const auto& backend : tables.backends) {
    check_servers(backend);
    check_hash_key(backend);
    check_health(backend);
    check_backups(backend);
    check_rebalance(backend);
  }
}

void check_complete(const Tables& tables, const Source& main, Report& report) {
  if (tables.listeners.empty()) report.file_problem(main, "there is no [[listener]]");
  if (tables.routes.empty()) report.file_problem(main, "there is no [[route]]");
  if (tables.backends.empty()) report.file_problem(main, "there is no [[backend]]");
  std::vector<std::string> names;
  for (const auto& backend : tables.backends) names.push_back(backend.value.name);
  for (const auto& route : tables.routes) check_backend_exists(route, names);
}

}  // namespace fairlead::conf
