#include "tls/aead_cache.h"

#include <openssl/err.h>

#include <array>
#include <atomic>
#include <memory>

#include "tls/handle.h"

namespace fairlead::tls {

namespace {

using CipherPtr = std::unique_ptr<EVP_CIPHER, Freed<EVP_CIPHER_free>>;
using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;

// Fetched once: a fetch for each context would search OpenSSL's tables under a lock.
const EVP_CIPHER* cipher_of(Suite suite) {
  static const std::array<CipherPtr, kSuites> kCiphers{
      CipherPtr(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr)),
      CipherPtr(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)),
      CipherPtr(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr))};
  return kCiphers[static_cast<std::size_t>(suite)].get();
}

struct Entry {
  std::uint64_t tag = 0;
  CipherContextPtr context;
};

// Contexts of one suite and use. The one made longest ago makes room.
struct Ring {
  std::array<Entry, AeadSlot::kPerThread> entries;
  std::size_t next = 0;
};

class Cache {
 public:
  Cache() { current_ = this; }

  ~Cache() {
    current_ = nullptr;
    ended_ = true;
  }

  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // Null once the thread has ended it: an engine may outlive it in a static object.
  static Cache* of_thread() {
    if (current_ != nullptr || ended_) return current_;
    thread_local Cache cache;
    return &cache;
  }

  // Null where none was needed yet.
  static Cache* existing() { return current_; }

  Ring* ring(const AeadSlot& slot) { return rings_[index(slot)].get(); }

  Ring& make_ring(const AeadSlot& slot) {
    std::unique_ptr<Ring>& ring = rings_[index(slot)];
    if (!ring) ring = std::make_unique<Ring>();
    return *ring;
  }

 private:
  static std::size_t index(const AeadSlot& slot) {
    return static_cast<std::size_t>(slot.suite) * 2 + static_cast<std::size_t>(slot.use);
  }

  static thread_local Cache* current_;
  static thread_local bool ended_;

  std::array<std::unique_ptr<Ring>, kSuites * 2> rings_;
};

thread_local Cache* Cache::current_ = nullptr;
thread_local bool Cache::ended_ = false;

// The key's own parts are set while the entry bears no tag, so one that failed is nobody's.
EVP_CIPHER_CTX* fill(Entry& entry, const AeadSlot& slot, const std::uint8_t* key,
                     const std::uint8_t* nonce) {
  entry.tag = 0;
  const EVP_CIPHER* cipher = nullptr;  // an old context's cipher stays
  if (!entry.context) {
    entry.context.reset(EVP_CIPHER_CTX_new());
    cipher = cipher_of(slot.suite);
    if (cipher == nullptr) entry.context.reset();
  }
  EVP_CIPHER_CTX* context = entry.context.get();
  const int sealing = slot.use == Use::seal ? 1 : 0;
  if (context == nullptr || EVP_CipherInit_ex(context, cipher, nullptr, key, nonce, sealing) != 1) {
    entry.context.reset();
    ERR_clear_error();
    return nullptr;
  }
  entry.tag = slot.tag;
  return context;
}

}  // namespace

std::uint64_t new_aead_tag() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

evp_cipher_ctx_st* borrow_aead(AeadSlot& slot, std::span<const std::uint8_t> key,
                               std::span<const std::uint8_t, kIvSize> nonce) {
  Cache* cache = Cache::of_thread();
  if (cache == nullptr) return nullptr;
  Ring& ring = cache->make_ring(slot);
  Entry& mine = ring.entries[slot.index];
  if (mine.tag == slot.tag) {
    EVP_CIPHER_CTX* context = mine.context.get();
    const bool set = EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), -1) == 1;
    return set ? context : nullptr;
  }
  slot.index = static_cast<std::uint8_t>(ring.next);
  ring.next = (ring.next + 1) % AeadSlot::kPerThread;
  return fill(ring.entries[slot.index], slot, key.data(), nonce.data());
}

void drop_aead(const AeadSlot& slot) {
  Cache* cache = Cache::existing();
  Ring* ring = cache == nullptr ? nullptr : cache->ring(slot);
  if (ring == nullptr) return;
  Entry& entry = ring->entries[slot.index];
  if (slot.tag == 0 || entry.tag != slot.tag) return;
  entry.tag = 0;
  entry.context.reset();  // OpenSSL cleanses what it frees
}

}  // namespace fairlead::tls
