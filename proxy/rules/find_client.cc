// Who the client is: find_client and the request's id (declared in forward.h).

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>

#include "proxy/rules/forward.h"

namespace fairlead::rules {
namespace {

constexpr unsigned kMaxForwardedEntries = 32;
constexpr std::size_t kMaxRequestId = 128;

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "ip", "ip:port", "[v6]", "[v6]:port".
std::optional<conf::Ip> parse_entry(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto rest = text.substr(end + 1);
    if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return std::nullopt;
    return conf::Ip::parse(text.substr(1, end - 1));
  }
  const auto colon = text.find(':');
  // Two colons and no brackets: an IPv6 address without a port.
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
    return conf::Ip::parse(text);
  }
  if (!is_port(text.substr(colon + 1))) return std::nullopt;
  return conf::Ip::parse(text.substr(0, colon));
}

bool is_trusted(const std::vector<conf::Cidr>& trusted, const conf::Ip& ip) {
  return std::any_of(trusted.begin(), trusted.end(),
                     [&](const conf::Cidr& network) { return network.contains(ip); });
}

// Walks X-Forwarded-For from its right end, where the nearest hop wrote.
class ForwardedWalk {
 public:
  ForwardedWalk(const std::vector<conf::Cidr>& trusted, conf::Ip& ip)
      : trusted_(trusted), ip_(ip) {}

  // One field's list. False: the client is found, or nothing further can be believed.
  bool walk(std::string_view list) {
    while (!list.empty()) {
      const auto comma = list.rfind(',');
      const bool first = comma == std::string_view::npos;
      const auto entry = wire::trim(first ? list : list.substr(comma + 1));
      list = first ? std::string_view{} : list.substr(0, comma);
      if (!entry.empty() && !step(entry)) return false;
    }
    return true;
  }

 private:
  bool step(std::string_view entry) {
    if (++seen_ > kMaxForwardedEntries) return false;
    const auto ip = parse_entry(entry);
    if (!ip) return false;
    ip_ = *ip;
    return is_trusted(trusted_, *ip);
  }

  const std::vector<conf::Cidr>& trusted_;
  conf::Ip& ip_;
  unsigned seen_ = 0;
};

}  // namespace

Client find_client(const wire::RequestHead& head, const Peer& peer,
                   const std::vector<conf::Cidr>& trusted) {
  Client client{peer.ip, peer.secure};
  if (!peer.trusted) return client;
  ForwardedWalk walk(trusted, client.ip);
  for (auto it = std::make_reverse_iterator(head.fields.end());
       it != std::make_reverse_iterator(head.fields.begin()); ++it) {
    if (wire::iequals(it->name, "X-Forwarded-For") && !walk.walk(it->value)) break;
  }
  // With several proxies the first entry is the client's own hop.
  const auto list = head.fields.get("X-Forwarded-Proto");
  const auto proto = wire::trim(list.substr(0, list.find(',')));
  if (wire::iequals(proto, "https") || wire::iequals(proto, "wss")) client.secure = true;
  if (wire::iequals(proto, "http") || wire::iequals(proto, "ws")) client.secure = false;
  return client;
}

std::string_view kept_request_id(const wire::RequestHead& head) {
  if (head.fields.count("X-Request-Id") != 1) return {};
  const auto id = head.fields.get("X-Request-Id");
  const bool visible =
      std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c <= '~'; });
  return visible && id.size() <= kMaxRequestId ? id : std::string_view{};
}

std::string make_request_id(std::uint64_t high, std::uint64_t low) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id(32, '0');
  for (std::size_t i = 16; i-- > 0; high >>= 4, low >>= 4) {
    id[i] = kDigits[high & 15];
    id[16 + i] = kDigits[low & 15];
  }
  return id;
}

}  // namespace fairlead::rules
