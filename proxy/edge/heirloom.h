#pragma once
// What a process hands to the one that takes its place, apart from the sockets: secrets it has made
// up, what the API has set, what the checks have found. JSON, in memory that only the two have.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "proxy/balance/pool.h"

namespace fairlead::edge {

class Runtime;

// As the texts between two processes have it.
std::string_view state_name(balance::AdminState state);
std::optional<balance::AdminState> parse_state(std::string_view name);
// A weight that the configuration could have.
std::uint32_t bounded_weight(double weight);

struct Heirloom {
  struct Listener {
    std::string address;                    // as the configuration has it
    std::string ticket_keys;                // ServerContext::made_ticket_keys; "" without TLS
    std::chrono::seconds ticket_key_age{};  // since when the first of them is in use
    conf::ListenerTls::Version min_version = conf::ListenerTls::Version::tls12;
    bool drained = false;
  };

  struct Server {
    std::string name;
    balance::AdminState state = balance::AdminState::ready;
    std::uint32_t weight = 1;
    std::uint32_t configured_weight = 1;
    bool up = true;
  };

  struct Backend {
    std::string name;
    std::string secret;  // of its sticky cookies, if it was made up
    std::vector<Server> servers;
  };

  std::vector<Listener> listeners;  // in the order of the sockets that go with it
  std::string admin;                // the admin endpoint's address as written, "": none; the last
                                    // of the sockets
  std::vector<Backend> backends;
  std::vector<std::string> drained_routes;

  // All there is to hand over, for `runtime`.
  static Heirloom of(const Runtime& runtime);

  std::string text() const;
  // Nothing: that is none, or one of another format.
  static std::optional<Heirloom> parse(std::string_view text);

  // The addresses as written, of the sockets in their order.
  std::vector<std::string> addresses() const;
  // "" where there are none.
  std::string_view ticket_keys(const conf::Listener& listener) const;
  std::chrono::seconds ticket_key_age(const conf::Listener& listener) const;
  std::string_view secret(const std::string& backend) const;

  // Before any worker has it, its listeners bound: what was set at servers, listeners and routes,
  // and which servers are down. As at a reload, what the file sets anew counts. What is given is
  // not here any more: the rest is for servers whose names have not led to them yet.
  void bequeath(const Runtime& runtime);

 private:
  const Listener* with_tickets_of(const conf::Listener& listener) const;
  static void bequeath(Backend& backend, balance::Pool& pool, bool checked);
};

}  // namespace fairlead::edge
