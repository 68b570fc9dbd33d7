#include "proxy/net/hosts_file.h"

#include <ifaddrs.h>

#include <algorithm>
#include <fstream>

#include "conf/names.h"
#include "proxy/net/socket.h"

namespace fairlead::net {
namespace {

constexpr std::size_t kHostsMost = 1024 * 1024;
constexpr std::string_view kBlanks = " \t\r";

// Takes the next word off `line`; empty: there is none.
std::string_view take_word(std::string_view& line) {
  const std::size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

bool names(std::string_view line, std::string_view name) {
  for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
    if (conf::lower(word) == name) return true;
  }
  return false;
}

bool is_multicast(const conf::Ip& ip) {
  return ip.is_v4() ? (ip.bytes[12] & 0xf0) == 0xe0 : ip.bytes[0] == 0xff;
}

// 0.0.0.0/8, "this network", and ::.
bool is_unspecified(const conf::Ip& ip) {
  return ip.is_v4() ? ip.bytes[12] == 0 : ip == conf::Ip{};
}

// 240.0.0.0/4, the broadcast address among them. IPv6 has nothing of the kind.
bool is_reserved(const conf::Ip& ip) {
  return ip.is_v4() && ip.bytes[12] >= 240;
}

}  // namespace

std::vector<conf::Ip> addresses_in_hosts(std::string_view text, std::string_view name) {
  std::vector<conf::Ip> found;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line = line.substr(0, line.find('#'));
    const auto ip = conf::Ip::parse(take_word(line));
    if (!ip || !names(line, name)) continue;
    if (std::find(found.begin(), found.end(), *ip) == found.end()) found.push_back(*ip);
  }
  return found;
}

std::optional<std::string> read_hosts_file() {
  std::ifstream file("/etc/hosts", std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(kHostsMost + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kHostsMost) return std::nullopt;
  return text;
}

std::vector<std::string> search_names(const std::string& name,
                                      const std::vector<std::string>& domains, unsigned ndots) {
  const auto dots = static_cast<unsigned>(std::count(name.begin(), name.end(), '.'));
  std::vector<std::string> result;
  if (dots >= ndots) result.push_back(name);
  for (const std::string& domain : domains) {
    if (!domain.empty() && domain != ".") result.push_back(name + "." + domain);
  }
  if (dots < ndots) result.push_back(name);
  return result;
}

std::optional<std::vector<conf::Ip>> addresses_of_this_machine() {
  std::vector<conf::Ip> result;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return std::nullopt;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    SocketAddress raw{};
    const std::size_t size = family == AF_INET ? sizeof raw.v4 : sizeof raw.v6;
    const auto* bytes = reinterpret_cast<const char*>(one->ifa_addr);
    std::copy(bytes, bytes + size, reinterpret_cast<char*>(&raw));
    result.push_back(to_peer(raw).ip);
  }
  freeifaddrs(list);
  return result;
}

Families Families::of_this_machine() {
  const auto addresses = addresses_of_this_machine();
  if (!addresses) return {true, true};  // rather too much than too little
  Families result;
  for (const conf::Ip& ip : *addresses) {
    if (ip.is_v4()) continue;
    if (ip.is_loopback()) result.ipv6_loopback = true;
    if (!ip.is_loopback() && !ip.is_link_local()) result.ipv6 = true;
  }
  return result;
}

bool Families::reach(const conf::Ip& ip) const {
  if (is_unspecified(ip) || is_multicast(ip) || ip.is_link_local() || is_reserved(ip)) return false;
  if (ip.is_v4()) return true;
  return ip.is_loopback() ? ipv6_loopback : ipv6;
}

bool may_serve(const conf::Ip& ip, AddressSource source, const conf::Dns& settings,
               const Families& families) {
  using Family = conf::Dns::Family;
  if (settings.family != Family::any && (settings.family == Family::ipv4) != ip.is_v4())
    return false;
  const bool believed = source == AddressSource::machine || settings.allow_loopback;
  return families.reach(ip) && (believed || !ip.is_loopback());
}

}  // namespace fairlead::net
