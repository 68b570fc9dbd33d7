#pragma once
// Keys of an established TLS 1.3 connection (RFC 8446 7.1 to 7.3), and the suites they are for.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace fairlead::tls {

enum class Suite : std::uint8_t {
  aes_128_gcm_sha256,
  aes_256_gcm_sha384,
  chacha20_poly1305_sha256
};

constexpr std::size_t kSuites = 3;
constexpr std::size_t kMaxSecret = 48;
constexpr std::size_t kMaxKey = 32;
constexpr std::size_t kIvSize = 12;

// By its number in RFC 8446 B.4; none for one that is not handled here.
std::optional<Suite> suite_of(std::uint16_t number);
std::size_t secret_size(Suite suite);
std::size_t key_size(Suite suite);

// HKDF-Expand-Label(secret, label, "", out.size()) with the suite's hash. `out` is at most the
// hash's size, `label` at most 20 bytes. False where OpenSSL has no memory; `out` is then zeros.
bool expand_label(Suite suite, std::span<const std::uint8_t> secret, std::string_view label,
                  std::span<std::uint8_t> out);

}  // namespace fairlead::tls
