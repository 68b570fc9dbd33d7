#pragma once
// One entry of a route's `origins`: what a browser's Origin header is compared with (RFC 6454).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::conf {

struct OriginPattern {
  enum class Kind {
    same_origin,  // "same-origin": the origin's host and port are the request's
    any,          // "any": no check
    null,         // "null": sandboxed frames, files
    exact,        // "https://app.example.com", "http://localhost:3000"
    wildcard,     // "https://*.example.com": any subdomain, not the domain itself
  };

  Kind kind = Kind::same_origin;
  std::string scheme;      // lower case
  std::string host;        // lower case; wildcard: without "*."
  std::uint16_t port = 0;  // the scheme's default filled in (http 80, https 443)

  // Nothing on bad text (no scheme, a path, user info, a wildcard not in first place, another
  // scheme than http and https...).
  static std::optional<OriginPattern> parse(std::string_view text);
  bool operator==(const OriginPattern&) const = default;
};

}  // namespace fairlead::conf
