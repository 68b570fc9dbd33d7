// Where requests go: check_routing, declared in check.h.

#include "conf/check.h"
#include "conf/own_listener.h"
#include "conf/shadowed_routes.h"
#include "conf/values.h"

namespace fairlead::conf {
namespace {

void check_shadows(const std::vector<Located<Route>>& routes) {
  std::vector<const Route*> values;
  for (const auto& route : routes) values.push_back(&route.value);
  for (const Shadow& shadow : shadowed_routes(values)) {
    const Located<Route>& route = routes[shadow.route];
    if (shadow.by == shadow.route) {
      route.scope.problem(value_of(route, "subprotocols"),
                          "subprotocols: no request gets here: one of kind \"http\" offers none");
      continue;
    }
    const Located<Route>& by = routes[shadow.by];
    const std::string why = "the route " + in_quotes(by.value.name) + " (" +
                            by.scope.place(*by.node) + ") is tried first and takes the same";
    if (shadow.host.empty()) {
      route.scope.problem(*route.node, "no request gets here: " + why);
    } else {
      route.scope.hint(value_of(route, "hosts"),
                       "hosts: no request for " + in_quotes(shadow.host) + " gets here: " + why);
    }
  }
}

void check_own(const Located<Backend>& backend, const std::vector<Located<Listener>>& listeners) {
  const Node& list = value_of(backend, "servers");
  const auto& servers = backend.value.servers;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    for (const auto& listener : listeners) {
      if (!leads_to(servers[i].address, listener.value.address, {})) continue;
      backend.scope.problem(list.children[i],
                            own_listener_text(servers[i].address, listener.value.address));
      break;
    }
  }
}

}  // namespace

std::string own_listener_text(const Address& server, const Address& listener) {
  return "servers: " + in_quotes(server.text()) + " is the listener " + in_quotes(listener.text()) +
         " of this Fairlead: each request would come back to it";
}

void check_routing(const Tables& tables) {
  check_shadows(tables.routes);
  for (const auto& backend : tables.backends) check_own(backend, tables.listeners);
}

}  // namespace fairlead::conf
