#include "proxy/balance/hash_key.h"

#include <cstddef>
#include <string_view>

#include "proxy/balance/cookies.h"
#include "proxy/balance/hash.h"

namespace fairlead::balance {
namespace {

constexpr std::size_t kNetworkBytes = 8;  // of an IPv6 address: the /64

std::optional<std::uint64_t> of_address(const conf::Ip* ip) {
  if (ip == nullptr) return std::nullopt;
  const std::size_t size = ip->is_v4() ? ip->bytes.size() : kNetworkBytes;
  return stable_hash({reinterpret_cast<const char*>(ip->bytes.data()), size});
}

std::string_view header(const wire::RequestHead& head, std::string_view name) {
  return wire::iequals(name, "Host") ? head.host : head.fields.get(name);
}

std::string_view cookie(const wire::Fields& fields, std::string_view name) {
  std::string_view found;
  for_each_cookie(fields, name, [&](std::string_view value) {
    found = value;
    return false;
  });
  return found;
}

}  // namespace

std::optional<std::uint64_t> hash_key(const conf::HashKey& key, const wire::RequestHead& head,
                                      const conf::Ip* client) {
  using Kind = conf::HashKey::Kind;
  std::string_view text;
  switch (key.kind) {
    case Kind::client_ip:
      return of_address(client);
    case Kind::header:
      text = header(head, key.name);
      break;
    case Kind::cookie:
      text = cookie(head.fields, key.name);
      break;
    case Kind::query:
      text = wire::query_value(head.query, key.name);
      break;
    case Kind::path:
      text = head.path;
      break;
  }
  if (text.empty()) return std::nullopt;
  return stable_hash(text);
}

}  // namespace fairlead::balance
