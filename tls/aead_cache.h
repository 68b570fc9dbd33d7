#pragma once
// EVP contexts for records. One of AES-GCM takes 1.2 KiB, and is rebuilt from a key in a fraction
// of a microsecond: so a connection keeps its key only, and each thread a bounded number of
// contexts for those that were busy last.

#include <cstdint>
#include <span>

#include "tls/key_schedule.h"

struct evp_cipher_ctx_st;

namespace fairlead::tls {

enum class Use : std::uint8_t { open, seal };

// Where a key's context is, if it still is. A tag belongs to one key for ever, so a slot that was
// given to another key is known by its tag.
struct AeadSlot {
  static constexpr std::size_t kPerThread = 128;  // of each suite and each use

  std::uint64_t tag = 0;
  std::uint8_t index = 0;
  Suite suite = Suite::aes_128_gcm_sha256;
  Use use = Use::open;
};

// A tag no key had before.
std::uint64_t new_aead_tag();

// The calling thread's context for `slot`'s key, set to `nonce`; valid until the next call. Null
// where OpenSSL has no memory.
evp_cipher_ctx_st* borrow_aead(AeadSlot& slot, std::span<const std::uint8_t> key,
                               std::span<const std::uint8_t, kIvSize> nonce);

// Forgets the key, its schedule cleansed, where this thread still has it.
void drop_aead(const AeadSlot& slot);

}  // namespace fairlead::tls
