#include "proxy/rules/router.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "conf/names.h"
#include "proxy/rules/authority.h"
#include "proxy/wire/head.h"
#include "proxy/wire/path.h"

namespace fairlead::rules {
namespace {

using Kind = conf::Route::Kind;

// "" for what is no host: only a route for any host takes it.
std::string host_of(std::string_view text) {
  auto authority = compared_authority(text);
  return authority ? std::move(authority->host) : std::string();
}

bool kind_fits(Kind kind, bool websocket) {
  return kind == Kind::any || (kind == Kind::websocket) == websocket;
}

// Subprotocol names are compared as they are (RFC 6455 4.1: the server picks one of the offered
// values).
bool offers_one(std::string_view offered, const std::vector<std::string>& wanted) {
  bool found = false;
  wire::for_each_item(offered, [&](std::string_view item) {
    found = std::find(wanted.begin(), wanted.end(), item) != wanted.end();
    return !found;
  });
  return found;
}

}  // namespace

Router::Router(const std::vector<conf::Route>& routes) {
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const auto& route = routes[i];
    const wire::NormalPath path(route.path);
    if (!path.ok()) continue;  // no request has it
    Entry entry{"", false, std::string(path.text()), route.subprotocols, route.kind, i};
    while (entry.path.ends_with('/')) entry.path.pop_back();
    if (route.hosts.empty()) entries_.push_back(entry);
    for (const auto& host : route.hosts) {
      entry.wildcard = host.starts_with("*.");
      entry.host =
          entry.wildcard ? std::string(conf::without_final_dot(host)).substr(1) : host_of(host);
      // What is no host can fit no request; an empty name would fit them all.
      if (!entry.host.empty()) entries_.push_back(entry);
    }
  }
  // What is smaller is tried first.
  const auto rank = [](const Entry& entry) {
    const int host_class = entry.host.empty() ? 2 : entry.wildcard ? 1 : 0;
    const std::size_t wildcard_length = entry.wildcard ? entry.host.size() : 0;
    return std::tuple(host_class, kNone - wildcard_length, kNone - entry.path.size(),
                      entry.subprotocols.empty(), entry.kind == Kind::any, entry.index);
  };
  std::stable_sort(entries_.begin(), entries_.end(),
                   [&](const Entry& a, const Entry& b) { return rank(a) < rank(b); });
}

std::size_t Router::find(const RouteQuestion& question) const {
  const std::string host = host_of(question.host);
  const auto host_fits = [&](const Entry& entry) {
    if (entry.host.empty()) return true;
    if (!entry.wildcard) return host == entry.host;
    return host.size() > entry.host.size() && host.ends_with(entry.host);
  };
  const auto subprotocol_fits = [&](const Entry& entry) {
    return entry.subprotocols.empty() ||
           (question.websocket && offers_one(question.subprotocols, entry.subprotocols));
  };
  for (const auto& entry : entries_) {
    if (host_fits(entry) && wire::has_path_prefix(question.path, entry.path) &&
        kind_fits(entry.kind, question.websocket) && subprotocol_fits(entry)) {
      return entry.index;
    }
  }
  return kNone;
}

}  // namespace fairlead::rules
