#include "proxy/rules/origin.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "conf/names.h"
#include "proxy/rules/authority.h"

namespace fairlead::rules {
namespace {

using Kind = conf::OriginPattern::Kind;

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

// An origin as RFC 6454 6.2 serialises it.
struct PageOrigin {
  std::string scheme;   // lower case
  Authority authority;  // http and https: the default port filled in; else 0 is none

  bool is_web() const { return scheme == "https" || scheme == "http"; }
};

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? kHttpsPort : kHttpPort;
}

// One of another scheme (an extension, an app's own) is read by the rule for those that are listed.
std::optional<PageOrigin> parse_other(std::string_view text) {
  auto read = conf::OriginPattern::parse(text);
  if (!read || read->kind != Kind::exact) return std::nullopt;
  return PageOrigin{std::move(read->scheme), {std::move(read->host), read->port}};
}

std::optional<PageOrigin> parse_origin(std::string_view text) {
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  PageOrigin origin{conf::lower(text.substr(0, scheme_end)), {}};
  if (!origin.is_web()) return parse_other(text);
  auto authority = compared_authority(text.substr(scheme_end + 3));
  if (!authority) return std::nullopt;
  if (authority->port == 0) authority->port = default_port(origin.scheme);
  origin.authority = std::move(*authority);
  return origin;
}

bool same_origin(const PageOrigin& origin, const OriginQuestion& question) {
  if (!origin.is_web()) return false;
  // A page anybody on the path could have changed does not get into what came over TLS.
  if (origin.scheme == "http" && question.secure) return false;
  auto host = compared_authority(question.host);
  if (!host) return false;
  // The page's scheme, not ours, names the default: TLS may have ended in front of us.
  if (host->port == 0) host->port = default_port(origin.scheme);
  return *host == origin.authority;
}

bool scheme_and_port_match(const conf::OriginPattern& pattern, const PageOrigin& origin) {
  return pattern.scheme == origin.scheme && pattern.port == origin.authority.port;
}

// "*.example.com" takes a.example.com, not example.com and not evil-example.com.
bool is_subdomain(std::string_view host, std::string_view domain) {
  return host.size() > domain.size() + 1 && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

bool matches(const conf::OriginPattern& pattern, const std::optional<PageOrigin>& origin,
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
