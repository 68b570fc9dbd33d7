#pragma once
// A host with an optional port taken apart: the Host field, and what follows "://" in an Origin.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::rules {

struct Authority {
  std::string host;        // lower case; IPv6 in brackets, in canonical form
  std::uint16_t port = 0;  // 0: absent

  bool operator==(const Authority&) const = default;
};

// "example.com", "example.com:8080", "[::1]:80"; an empty port is an absent one (RFC 3986 3.2.3).
// Nothing for what a browser never sends: user info, percent-encoding, other characters than a DNS
// name or an address has, port 0.
std::optional<Authority> parse_authority(std::string_view text);

// The same for comparing hosts: without the dot that ends an absolute name.
std::optional<Authority> compared_authority(std::string_view text);

}  // namespace fairlead::rules
