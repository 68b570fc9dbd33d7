#include "conf/own_listener.h"

#include <algorithm>
#include <string_view>

#include "conf/names.h"

namespace fairlead::conf {
namespace {

// RFC 6761 6.3
bool is_localhost(std::string_view name) {
  constexpr std::string_view kSuffix = ".localhost";
  name = without_final_dot(name);
  return name == "localhost" ||
         (name.size() > kSuffix.size() && name.substr(name.size() - kSuffix.size()) == kSuffix);
}

// [::] takes IPv4 too.
bool listens_on_all(const Ip& listener, const Ip& ip) {
  return listener == Ip{} || (listener == Ip::v4(0) && ip.is_v4());
}

bool arrives(const Ip& ip, const Ip& listener, const std::vector<Ip>& machine) {
  if (ip == listener) return true;
  const bool here =
      ip.is_loopback() || std::find(machine.begin(), machine.end(), ip) != machine.end();
  return here && listens_on_all(listener, ip);
}

}  // namespace

bool leads_to(const Address& server, const Address& listener, const std::vector<Ip>& machine) {
  using Kind = Address::Kind;
  const bool of_path = listener.kind == Kind::unix_path;
  if (of_path || server.kind == Kind::unix_path)
    return of_path && server.kind == Kind::unix_path && server.host == listener.host;
  if (server.port != listener.port || server.port == 0 || server.kind == Kind::service)
    return false;
  static const Ip four = Ip::v4(0x7f000001);
  static const Ip six = *Ip::parse("::1");
  if (server.kind == Kind::name) {
    return is_localhost(server.host) &&
           (arrives(four, listener.ip, machine) || arrives(six, listener.ip, machine));
  }
  // Connecting to 0.0.0.0 or :: is connecting to loopback.
  if (server.ip == Ip::v4(0)) return arrives(four, listener.ip, machine);
  if (server.ip == Ip{}) return arrives(six, listener.ip, machine);
  return arrives(server.ip, listener.ip, machine);
}

}  // namespace fairlead::conf
