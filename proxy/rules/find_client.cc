// Who the client is: find_client and the request's id (declared in forward.h).

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>

#include "proxy/rules/forward.h"
#include "proxy/wire/target.h"

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

// The first item of the first field of that name, "" for none.
std::string_view first_item(const wire::Fields& fields, std::string_view name) {
  std::string_view first;
  wire::for_each_item(fields.get(name), [&](std::string_view item) {
    first = item;
    return false;
  });
  return first;
}

// The last item of the last field of that name that has any, "" for none.
std::string_view last_item(const wire::Fields& fields, std::string_view name) {
  std::string_view last;
  for (const auto& field : fields) {
    if (!wire::iequals(field.name, name)) continue;
    wire::for_each_item(field.value, [&](std::string_view item) {
      last = item;
      return true;
    });
  }
  return last;
}

// 0 for what is no port.
std::uint16_t port_of(std::string_view text) {
  if (!is_port(text)) return 0;
  std::uint32_t value = 0;
  for (const char c : text) value = value * 10 + static_cast<std::uint32_t>(c - '0');
  return value <= UINT16_MAX ? static_cast<std::uint16_t>(value) : std::uint16_t{0};
}

}  // namespace

Client find_client(const wire::RequestHead& head, const Peer& peer,
                   const std::vector<conf::Cidr>& trusted) {
  Client client{peer.ip, peer.secure, head.host, 0};
  if (!peer.trusted) return client;
  ForwardedWalk walk(trusted, client.ip);
  for (auto it = std::make_reverse_iterator(head.fields.end());
       it != std::make_reverse_iterator(head.fields.begin()); ++it) {
    if (wire::iequals(it->name, "X-Forwarded-For") && !walk.walk(it->value)) break;
  }
  const auto proto = first_item(head.fields, "X-Forwarded-Proto");
  if (wire::iequals(proto, "https") || wire::iequals(proto, "wss")) client.secure = true;
  if (wire::iequals(proto, "http") || wire::iequals(proto, "ws")) client.secure = false;
  const auto host = last_item(head.fields, "X-Forwarded-Host");
  if (wire::is_authority(host)) client.host = host;
  client.port = port_of(first_item(head.fields, "X-Forwarded-Port"));
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
