#include "conf/schema.h"

namespace fairlead::conf {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::uint16_t kDnsPort = 53;

// "10.0.0.53", "127.0.0.1:5353", "[fd00::53]:53".
std::optional<Address> name_server_of(const std::string& given) {
  if (const auto ip = Ip::parse(given)) {
    Address address;
    address.ip = *ip;
    address.port = kDnsPort;
    return address;
  }
  auto address = Address::parse(given);
  if (!address || address->kind != Address::Kind::ip || address->port == 0) return std::nullopt;
  return address;
}

Codec<Address> name_server() {
  const auto complaint = [](std::string_view given) {
    if (name_server_of(std::string(given))) return std::string();
    return in_quotes(given) + " is not a name server such as \"10.0.0.53\" or \"127.0.0.1:5353\"";
  };
  return {"address",
          [given = text("address", complaint)](const Node& node,
                                               const Scope& scope) -> std::optional<Address> {
            const auto value = given.read(node, scope);
            return value ? name_server_of(*value) : std::nullopt;
          },
          [](const Address& address) { return "\"" + address.text() + "\""; }};
}

}  // namespace

const Schema<Dns>& dns_schema() {
  static const Schema<Dns> schema{
      {field("resolver", &Dns::resolver, list(name_server(), Empty::allowed),
             "name servers, \"10.0.0.53\", \"127.0.0.1:5353\"; none: the system's"),
       field("family", &Dns::family,
             choice<Dns::Family>({{"any", Dns::Family::any},
                                  {"ipv4", Dns::Family::ipv4},
                                  {"ipv6", Dns::Family::ipv6}}),
             "which addresses are asked for"),
       field("allow_loopback", &Dns::allow_loopback, flag(),
             "take 127.0.0.0/8 and ::1 from name servers, not only from the hosts file"),
       field("min_ttl", &Dns::min_ttl, duration(Millis{100}, hours(1)),
             "no name is asked for again sooner, whatever its TTL"),
       field("max_ttl", &Dns::max_ttl, duration(Millis{100}, hours(24)), "... nor later"),
       field("timeout", &Dns::timeout, duration(Millis{100}, minutes(1)),
             "of a question's first try; the second has twice as long")},
      {}};
  return schema;
}

}  // namespace fairlead::conf
