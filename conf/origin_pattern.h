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
    exact,        // "https://app.example.com", "chrome-extension://ID", "file://"
    wildcard,     // "https://*.example.com": any subdomain, not the domain itself
  };

  Kind kind = Kind::same_origin;
  std::string scheme;      // lower case
  std::string host;        // lower case, without a final dot; wildcard: without "*."
  std::uint16_t port = 0;  // http and https: the default filled in; other schemes: 0 is none

  bool is_web() const { return scheme == "http" || scheme == "https"; }

  // Nothing on bad text (no scheme, a path, user info, a wildcard not in first place, ws and wss,
  // which no page has...). Other schemes than http and https have what their programs make of it
  // for a host, "file://" none at all.
  static std::optional<OriginPattern> parse(std::string_view text);
  bool operator==(const OriginPattern&) const = default;
};

}  // namespace fairlead::conf
