#include "tls/key_schedule.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cassert>

namespace fairlead::tls {

std::optional<Suite> suite_of(std::uint16_t number) {
  switch (number) {
    case 0x1301:
      return Suite::aes_128_gcm_sha256;
    case 0x1302:
      return Suite::aes_256_gcm_sha384;
    case 0x1303:
      return Suite::chacha20_poly1305_sha256;
    default:
      return std::nullopt;
  }
}

std::size_t secret_size(Suite suite) {
  return suite == Suite::aes_256_gcm_sha384 ? 48 : 32;
}

std::size_t key_size(Suite suite) {
  return suite == Suite::aes_128_gcm_sha256 ? 16 : 32;
}

// RFC 5869 2.3: up to one block of the hash, HKDF-Expand is HMAC(secret, info || 1).
bool expand_label(Suite suite, std::span<const std::uint8_t> secret, std::string_view label,
                  std::span<std::uint8_t> out) {
  constexpr std::string_view kPrefix = "tls13 ";
  constexpr std::size_t kMaxLabel = 20;
  assert(label.size() <= kMaxLabel && out.size() <= secret_size(suite));
  std::array<std::uint8_t, 3 + kPrefix.size() + kMaxLabel + 2> info{};
  auto at = info.begin();
  *at++ = 0;
  *at++ = static_cast<std::uint8_t>(out.size());
  *at++ = static_cast<std::uint8_t>(kPrefix.size() + label.size());
  at = std::copy(kPrefix.begin(), kPrefix.end(), at);
  at = std::copy(label.begin(), label.end(), at);
  *at++ = 0;  // no context
  *at++ = 1;  // the first block
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> block{};
  unsigned size = 0;
  const EVP_MD* hash = suite == Suite::aes_256_gcm_sha384 ? EVP_sha384() : EVP_sha256();
  const bool done =
      HMAC(hash, secret.data(), static_cast<int>(secret.size()), info.data(),
           static_cast<std::size_t>(at - info.begin()), block.data(), &size) != nullptr;
  std::copy_n(block.begin(), out.size(), out.begin());
  OPENSSL_cleanse(block.data(), block.size());
  if (!done) ERR_clear_error();
  return done;
}

}  // namespace fairlead::tls
