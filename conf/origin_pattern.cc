#include "conf/origin_pattern.h"

#include "conf/ip.h"
#include "conf/names.h"

namespace fairlead::conf {
namespace {

constexpr std::string_view kScheme = "://";

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
  if (is_host_name(text)) return lower(text);
  if (text.find(':') != std::string_view::npos || !Ip::parse(text)) return std::nullopt;
  return std::string(text);
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
    if (!is_host_name(host)) return std::nullopt;
  }
  const auto parsed = parse_host(host);
  if (!parsed) return std::nullopt;
  pattern.host = *parsed;
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
  if (pattern.scheme != "http" && pattern.scheme != "https") return std::nullopt;
  pattern.port = pattern.scheme == "https" ? 443 : 80;
  return parse_authority(std::move(pattern), text.substr(end + kScheme.size()));
}

}  // namespace fairlead::conf
