// What `check` says of a configuration that is right: find_hints, declared in check.h.

#include <algorithm>
#include <string>

#include "conf/check.h"
#include "conf/values.h"

namespace fairlead::conf {
namespace {

bool open_to_the_world(const Listener& listener) {
  return listener.address.kind == Address::Kind::ip && !listener.address.ip.is_loopback() &&
         !listener.redirect_to_https;
}

void hint_limits(const Tables& tables) {
  const auto open = std::find_if(
      tables.listeners.begin(), tables.listeners.end(),
      [](const Located<Listener>& listener) { return open_to_the_world(listener.value); });
  if (open == tables.listeners.end()) return;
  for (const Located<Route>& route : tables.routes) {
    const Limits& limits = route.value.limits;
    if (limits.handshakes_per_ip || limits.connections_per_ip) continue;
    route.scope.hint(*route.node,
                     "neither handshakes_per_ip nor connections_per_ip is set, and the listener " +
                         open->value.address.text() + " is open to the world");
  }
}

void hint_sticky(const Located<Backend>& backend, bool plain_listener) {
  if (!backend.value.sticky) return;
  const Node& sticky = value_of(backend, "sticky");
  if (sticky.find("secret_file") == nullptr) {
    backend.scope.hint(sticky,
                       "sticky without secret_file: cookies lose their meaning at a restart and "
                       "on other nodes");
  }
  if (backend.value.sticky->same_site == Sticky::SameSite::none && plain_listener) {
    backend.scope.hint(sticky,
                       "sticky with same_site \"None\": over the listener without TLS browsers "
                       "drop the cookie");
  }
}

// Networks that hold more of the internet than one operator has, such as 0.0.0.0/0.
bool is_wide(const Cidr& network) {
  constexpr unsigned kV4Bits = 96;  // before the 32 of IPv4
  if (network.base.is_v4() && network.prefix >= kV4Bits) return network.prefix < kV4Bits + 8;
  const bool local = network.base.is_private() || network.base.is_link_local();
  return network.prefix < 16 && !local;
}

void hint_trusted_proxies(const Located<Listener>& listener) {
  const Listener& value = listener.value;
  if (value.address.kind != Address::Kind::ip || value.address.ip.is_loopback()) return;
  const Node& list = value_of(listener, "trusted_proxies");
  for (std::size_t i = 0; i < value.trusted_proxies.size(); ++i) {
    if (!is_wide(value.trusted_proxies[i]) || i >= list.children.size()) continue;
    listener.scope.hint(list.children[i],
                        "trusted_proxies: " + in_quotes(list.children[i].text) +
                            " believes every client what it says of itself (X-Forwarded-For): "
                            "name the proxies' own addresses");
  }
}

// A browser on this machine or in this network can be led here by a page whose own name resolves to
// the address, and that page is of the same origin as the name it asks for.
bool can_be_rebound(const Listener& listener) {
  const Ip& ip = listener.address.ip;
  return listener.address.kind == Address::Kind::ip && !listener.tls &&
         !listener.redirect_to_https && listener.trusted_proxies.empty() &&
         (ip.is_loopback() || ip.is_private() || ip.is_link_local());
}

bool trusts_any_name(const Route& route) {
  return route.hosts.empty() && route.kind != Route::Kind::http &&
         std::any_of(route.origins.begin(), route.origins.end(), [](const OriginPattern& one) {
           return one.kind == OriginPattern::Kind::same_origin;
         });
}

// Once in a file: it is the same for all of them.
void hint_rebinding(const Tables& tables) {
  const auto listener =
      std::find_if(tables.listeners.begin(), tables.listeners.end(),
                   [](const Located<Listener>& one) { return can_be_rebound(one.value); });
  const auto route =
      std::find_if(tables.routes.begin(), tables.routes.end(),
                   [](const Located<Route>& one) { return trusts_any_name(one.value); });
  if (listener == tables.listeners.end() || route == tables.routes.end()) return;
  route->scope.hint(*route->node,
                    "without hosts, \"same-origin\" lets in a page whose name is made to lead to " +
                        listener->value.address.text() +
                        " (DNS rebinding): list the hosts it is served under");
}

void hint_unused(const Tables& tables) {
  for (const Located<Backend>& backend : tables.backends) {
    const bool used = std::any_of(
        tables.routes.begin(), tables.routes.end(),
        [&](const Located<Route>& route) { return route.value.backend == backend.value.name; });
    if (!used) backend.scope.hint(*backend.node, "no route leads to it");
  }
}

}  // namespace

void find_hints(const Tables& tables) {
  hint_limits(tables);
  const bool plain = std::any_of(tables.listeners.begin(), tables.listeners.end(),
                                 [](const Located<Listener>& listener) {
                                   return !listener.value.tls && !listener.value.redirect_to_https;
                                 });
  for (const auto& backend : tables.backends) hint_sticky(backend, plain);
  for (const auto& listener : tables.listeners) hint_trusted_proxies(listener);
  hint_rebinding(tables);
  hint_unused(tables);
}

}  // namespace fairlead::conf
