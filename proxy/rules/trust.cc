#include "proxy/rules/trust.h"

#include <algorithm>
#include <array>

#include "proxy/wire/framing.h"
#include "proxy/wire/head.h"

namespace fairlead::rules {
namespace {

constexpr std::string_view kForwardedPrefix = "X-Forwarded-";
constexpr std::string_view kFairleadPrefix = "Fairlead-";
constexpr std::array<std::string_view, 3> kOfProxies{"X-Forwarded", "Forwarded", "X-Real-IP"};

// Whether `name` begins with the prefix once all punctuation is taken for '-'.
bool has_folded_prefix(std::string_view name, std::string_view prefix) {
  return wire::same_folded(name.substr(0, prefix.size()), prefix);
}

bool speaks_of_client(std::string_view name) {
  return has_folded_prefix(name, kForwardedPrefix) ||
         std::any_of(kOfProxies.begin(), kOfProxies.end(),
                     [&](std::string_view one) { return wire::same_folded(name, one); });
}

// None of the names has any punctuation but '-'.
bool is_disguised(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](char c) {
    const bool letter_or_digit =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return !letter_or_digit && c != '-';
  });
}

}  // namespace

bool is_trusted(const std::vector<conf::Cidr>& trusted, const conf::Ip& ip) {
  return std::any_of(trusted.begin(), trusted.end(),
                     [&](const conf::Cidr& network) { return network.contains(ip); });
}

void take_proxy_header(const wire::ProxyHeader& header, const std::vector<conf::Cidr>& trusted,
                       Peer& peer) {
  if (header.local) return;
  peer.secure = peer.secure || header.tls;
  if (!header.ends) {
    peer.trusted = false;
    return;
  }
  peer.ip = header.ends->source;
  peer.unix_socket = false;
  peer.trusted = is_trusted(trusted, peer.ip);
  peer.local_port = header.ends->destination_port;
}

bool may_say(const Peer& peer, std::string_view name) {
  if (wire::iequals(name, "Proxy") || has_folded_prefix(name, kFairleadPrefix)) return false;
  return !speaks_of_client(name) || (peer.trusted && !is_disguised(name));
}

}  // namespace fairlead::rules
