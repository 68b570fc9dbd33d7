#pragma once
// What names stand for, as servers of a backend.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conf/config.h"

namespace fairlead::balance {

// One of the places a name stands for.
struct Endpoint {
  conf::Ip ip;
  std::uint16_t port = 0;    // 0: the one written behind the name
  std::uint32_t weight = 1;  // 1 ... 1000
  bool backup = false;
  bool operator==(const Endpoint&) const = default;
};

// At most conf::bounds::kNameAddresses, in an order that does not depend on the answer's (IPv4
// first), each address and port once: the same on every node.
using Endpoints = std::vector<Endpoint>;

Endpoints from_hosts(const std::vector<conf::Ip>& ips);

struct Service {
  conf::Ip ip;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
};

// SRV (RFC 2782): the lowest priority does the work, all others are backups. Weights keep their
// proportions as far as 1 ... 1000 goes; 0 is 1.
Endpoints from_services(std::vector<Service> services);

// The kinds of addresses an answer says nothing of.
struct Unanswered {
  bool ipv4 = false;
  bool ipv6 = false;
};

// What an answer says, and of what it says nothing, what was known. A kind that has been answered
// counts: what it lacks is gone, also where the other kind never answers.
Endpoints joined(const Endpoints& answered, const Endpoints& known, Unanswered unanswered);

// What a name (an address with is_named()) stands for now; null: nothing yet.
using Lookup = std::function<const Endpoints*(const conf::Address&)>;

// A name's every address becomes a server, with the weight, max_sessions and backup written for the
// name; each address and port once, as it comes first. An empty `lookup` knows no name.
std::vector<conf::BackendServer> expand(const std::vector<conf::BackendServer>& servers,
                                        const Lookup& lookup);

// The names among the servers of all backends.
std::vector<conf::Address> names_in(const std::vector<conf::Backend>& backends);

// When to ask again after an answer. `ttl`: seconds; nothing: it is out of the hosts file.
conf::Millis ask_again_in(std::optional<std::uint32_t> ttl, const conf::Dns& settings);

// When to ask again after the n-th (from 1) failure in a row: min_ttl, twice as long ... 30 s.
conf::Millis retry_in(unsigned failures, const conf::Dns& settings);

}  // namespace fairlead::balance
