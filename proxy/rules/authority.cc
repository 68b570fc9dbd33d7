#include "proxy/rules/authority.h"

#include <algorithm>
#include <cstddef>

#include "conf/ip.h"
#include "conf/names.h"

namespace fairlead::rules {
namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

// The port without its colon; "" is an absent one.
bool parse_port(std::string_view text, std::uint16_t& port) {
  if (text.size() > 5) return false;
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (value > 65535 || (value == 0 && !text.empty())) return false;
  port = static_cast<std::uint16_t>(value);
  return true;
}

bool parse_name(std::string_view text, std::string& host) {
  host = conf::lower(text);
  // A name does not begin with a dot: "*.example.com" must not take ".example.com".
  return !host.empty() && host.front() != '.' &&
         std::all_of(host.begin(), host.end(), is_name_char);
}

// One address is written in many ways ([::1], [0:0::1]): compared in one.
bool parse_ipv6(std::string_view text, std::string& host) {
  const auto ip = conf::Ip::parse(text);
  if (!ip || text.find(':') == std::string_view::npos) return false;
  host = "[" + ip->text() + "]";
  return true;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  Authority result;
  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = bracketed ? text.find(']') : std::min(text.find(':'), text.size());
  if (host_end == std::string_view::npos) return std::nullopt;
  const bool host_ok = bracketed ? parse_ipv6(text.substr(1, host_end - 1), result.host)
                                 : parse_name(text.substr(0, host_end), result.host);
  std::string_view rest = text.substr(bracketed ? host_end + 1 : host_end);
  if (!host_ok || (!rest.empty() && rest.front() != ':')) return std::nullopt;
  if (!rest.empty() && !parse_port(rest.substr(1), result.port)) return std::nullopt;
  return result;
}

std::optional<Authority> compared_authority(std::string_view text) {
  auto result = parse_authority(text);
  if (result) result->host.resize(conf::without_final_dot(result->host).size());
  return result;
}

}  // namespace fairlead::rules
