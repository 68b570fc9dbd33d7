#include "proxy/rules/origin.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "proxy/rules/authority.h"
#include "proxy/wire/head.h"

namespace fairlead::rules {
namespace {

using Kind = conf::OriginPattern::Kind;

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

// An http or https origin as RFC 6454 6.2 serialises it; no other scheme can be listed.
struct WebOrigin {
  bool https = false;
  Authority authority;  // the scheme's default port filled in
};

std::uint16_t default_port(bool https) {
  return https ? kHttpsPort : kHttpPort;
}

std::optional<WebOrigin> parse_origin(std::string_view text) {
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  const auto scheme = text.substr(0, scheme_end);
  const bool https = wire::iequals(scheme, "https");
  if (!https && !wire::iequals(scheme, "http")) return std::nullopt;
  auto authority = parse_authority(text.substr(scheme_end + 3));
  if (!authority) return std::nullopt;
  if (authority->port == 0) authority->port = default_port(https);
  return WebOrigin{https, std::move(*authority)};
}

bool same_origin(const WebOrigin& origin, const OriginQuestion& question) {
  // A page anybody on the path could have changed does not get into what came over TLS.
  if (!origin.https && question.secure) return false;
  auto host = parse_authority(question.host);
  if (!host) return false;
  // The page's scheme, not ours, names the default: TLS may have ended in front of us.
  if (host->port == 0) host->port = default_port(origin.https);
  return *host == origin.authority;
}

bool scheme_and_port_match(const conf::OriginPattern& pattern, const WebOrigin& origin) {
  return pattern.scheme == (origin.https ? "https" : "http") &&
         pattern.port == origin.authority.port;
}

// "*.example.com" takes a.example.com, not example.com and not evil-example.com.
bool is_subdomain(std::string_view host, std::string_view domain) {
  return host.size() > domain.size() + 1 && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

bool matches(const conf::OriginPattern& pattern, const std::optional<WebOrigin>& origin,
             const OriginQuestion& question) {
  switch (pattern.kind) {
    case Kind::any:
      return true;
    case Kind::null:
      return *question.origin == "null";
    case Kind::same_origin:
      return origin && same_origin(*origin, question);
    case Kind::exact:
      return origin && scheme_and_port_match(pattern, *origin) &&
             pattern.host == origin->authority.host;
    case Kind::wildcard:
      return origin && scheme_and_port_match(pattern, *origin) &&
             is_subdomain(origin->authority.host, pattern.host);
  }
  return false;
}

}  // namespace

bool origin_allowed(const std::vector<conf::OriginPattern>& allowed, bool require_origin,
                    const OriginQuestion& question) {
  if (!question.origin) return !require_origin;
  const auto origin = parse_origin(*question.origin);
  return std::any_of(allowed.begin(), allowed.end(), [&](const conf::OriginPattern& pattern) {
    return matches(pattern, origin, question);
  });
}

}  // namespace fairlead::rules
