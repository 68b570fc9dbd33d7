#include "conf/shadowed_routes.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace fairlead::conf {
namespace {

using Kind = Route::Kind;

// A trailing slash does not matter to where a prefix ends.
std::string trimmed(std::string path) {
  while (!path.empty() && path.back() == '/') path.pop_back();
  return path;
}

// "": for any host.
std::vector<std::string> hosts_of(const Route& route) {
  return route.hosts.empty() ? std::vector<std::string>{""} : route.hosts;
}

bool takes(const Route& route, bool websocket) {
  if (!websocket && !route.subprotocols.empty()) return false;
  return route.kind == Kind::any || (route.kind == Kind::websocket) == websocket;
}

// Whether `a` takes every offer that `b` takes.
bool covers(const Route& a, const Route& b) {
  if (a.subprotocols.empty()) return true;
  return !b.subprotocols.empty() &&
         std::all_of(b.subprotocols.begin(), b.subprotocols.end(), [&](const std::string& one) {
           return std::find(a.subprotocols.begin(), a.subprotocols.end(), one) !=
                  a.subprotocols.end();
         });
}

// Among routes of one host and path (rules/router.h).
auto rank(const Route& route, std::size_t index) {
  return std::make_tuple(route.subprotocols.empty(), route.kind == Kind::any, index);
}

class Search {
 public:
  explicit Search(const std::vector<const Route*>& routes) : routes_(routes) {
    for (std::size_t i = 0; i < routes.size(); ++i) {
      for (const std::string& host : hosts_of(*routes[i]))
        places_[{host, trimmed(routes[i]->path)}].push_back(i);
    }
  }

  // Who takes all that the route would get for the host.
  std::optional<std::size_t> shadow_of(std::size_t index, const std::string& host) const {
    std::optional<std::size_t> by;
    for (const bool websocket : {true, false}) {
      if (!takes(*routes_[index], websocket)) continue;
      by = earlier(index, host, websocket);
      if (!by) return std::nullopt;
    }
    return by ? by : index;
  }

 private:
  std::optional<std::size_t> earlier(std::size_t index, const std::string& host,
                                     bool websocket) const {
    const Route& route = *routes_[index];
    for (const std::size_t i : places_.at({host, trimmed(route.path)})) {
      const Route& other = *routes_[i];
      const bool before = rank(other, i) < rank(route, index);
      if (before && takes(other, websocket) && covers(other, route)) return i;
    }
    return std::nullopt;
  }

  const std::vector<const Route*>& routes_;
  // Routes by host and path: only those of one place get in each other's way.
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> places_;
};

}  // namespace

std::vector<Shadow> shadowed_routes(const std::vector<const Route*>& routes) {
  std::vector<Shadow> result;
  const Search search(routes);
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const std::vector<std::string> hosts = hosts_of(*routes[i]);
    std::vector<Shadow> found;
    for (const std::string& host : hosts) {
      if (const auto by = search.shadow_of(i, host)) found.push_back({i, host, *by});
    }
    if (found.size() == hosts.size()) found = {{i, "", found.front().by}};
    result.insert(result.end(), found.begin(), found.end());
  }
  return result;
}

}  // namespace fairlead::conf
