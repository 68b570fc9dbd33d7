#include "conf/origin_pattern.h"

#include <algorithm>
#include <utility>

#include "conf/ip.h"
#include "conf/names.h"

namespace fairlead::conf {
namespace {

constexpr std::string_view kScheme = "://";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_alnum(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A host as an origin has it: a name, an IPv4 address, or an IPv6 address in brackets. In its
// canonical form.
std::optional<std::string> parse_host(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const std::string_view inner = text.substr(1, text.size() - 2);
    const auto ip = Ip::parse(inner);
    if (!ip || inner.find(':') == std::string_view::npos) return std::nullopt;
    // A browser writes [::ffff:1.2.3.4] in hexadecimal and never as IPv4; nobody serves pages
    // there.
    if (ip->is_v4()) return std::nullopt;
    return "[" + ip->text() + "]";
  }
  const std::string_view name = without_final_dot(text);
  if (is_host_name(name)) return lower(name);
  if (text.find(':') != std::string_view::npos || !Ip::parse(text)) return std::nullopt;
  return std::string(text);
}

// The host of another scheme than http and https is opaque (URL standard 3.5): an extension's id, a
// word such as "localhost", or nothing.
std::optional<std::string> parse_opaque_host(std::string_view text) {
  if (text.find('[') != std::string_view::npos) return parse_host(text);
  const bool good = std::all_of(text.begin(), text.end(), [](char c) {
    return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
  });
  if (!good) return std::nullopt;
  return lower(text);
}

// RFC 3986 3.1
bool is_scheme(std::string_view text) {
  return !text.empty() && is_alnum(text.front()) && !is_digit(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
}

std::optional<OriginPattern> parse_authority(OriginPattern pattern, std::string_view authority) {
  std::string_view host = authority;
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port) {
    // Address knows what a port may be; the host is judged below.
    const auto port = Address::parse("h:" + std::string(authority.substr(colon + 1)));
    if (!port || port->port == 0) return std::nullopt;
    pattern.port = port->port;
    host = authority.substr(0, colon);
  }
  if (host.substr(0, 2) == "*.") {
    pattern.kind = OriginPattern::Kind::wildcard;
    host.remove_prefix(2);
    if (!is_host_name(without_final_dot(host))) return std::nullopt;
  }
  auto parsed = pattern.is_web() ? parse_host(host) : parse_opaque_host(host);
  if (!parsed) return std::nullopt;
  pattern.host = std::move(*parsed);
  return pattern;
}

}  // namespace

std::optional<OriginPattern> OriginPattern::parse(std::string_view text) {
  OriginPattern pattern;
  if (text == "same-origin") return pattern;
  if (text == "any") {
    pattern.kind = Kind::any;
    return pattern;
  }
  if (text == "null") {
    pattern.kind = Kind::null;
    return pattern;
  }
  const std::size_t end = text.find(kScheme);
  if (end == std::string_view::npos) return std::nullopt;
  pattern.kind = Kind::exact;
  pattern.scheme = lower(text.substr(0, end));
  const bool of_sockets = pattern.scheme == "ws" || pattern.scheme == "wss";
  if (of_sockets || !is_scheme(pattern.scheme)) return std::nullopt;
  if (pattern.is_web()) pattern.port = pattern.scheme == "https" ? 443 : 80;
  return parse_authority(std::move(pattern), text.substr(end + kScheme.size()));
}

}  // namespace fairlead::conf
