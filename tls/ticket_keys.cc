#include "tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>

#include "conf/config.h"
#include "tls/digest.h"

namespace fairlead::tls {
namespace {

constexpr std::size_t kNameBytes = 16;
constexpr std::size_t kLongKey = 80;
constexpr std::size_t kShortKey = 48;

using Keys = std::shared_ptr<TicketKeyRing>;

void free_keys(void* /*parent*/, void* keys, CRYPTO_EX_DATA* /*data*/, int /*index*/,
               long /*unused*/, void* /*unused*/) {
  delete static_cast<Keys*>(keys);
}

// The context's, not the ServerContext's: connections keep only that alive.
int keys_index() {
  static const int index =
      CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nullptr, nullptr, nullptr, free_keys);
  return index;
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool set_mac(EVP_MAC_CTX* mac, const TicketKey& key) {
  std::string secret = key.mac_key;
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 3> params = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret.data(), secret.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  const bool done = EVP_MAC_CTX_set_params(mac, params.data()) == 1;
  OPENSSL_cleanse(secret.data(), secret.size());
  return done;
}

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3): -1 an error, 0 no ticket or an unknown one, 1 done, 2
// done and to be replaced.
int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
              EVP_MAC_CTX* mac, int encrypt) {
  const auto* keys =
      static_cast<const Keys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index()));
  if (keys == nullptr) return -1;
  TicketKeyRing::Found found;
  if (encrypt != 0) {
    found.key = (*keys)->first();
  } else if (auto known = (*keys)->find(name)) {
    found = std::move(*known);
  } else {
    return 0;
  }
  const TicketKey& key = found.key;
  const EVP_CIPHER* kind = key.cipher_key.size() == 32 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
  if (!set_mac(mac, key)) return -1;
  if (encrypt == 0) {
    if (EVP_DecryptInit_ex(cipher, kind, nullptr, bytes_of(key.cipher_key), iv) != 1) return -1;
    return found.is_first ? 1 : 2;
  }
  std::copy(key.name.begin(), key.name.end(), name);
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(kind)) != 1) return -1;
  return EVP_EncryptInit_ex(cipher, kind, nullptr, bytes_of(key.cipher_key), iv) == 1 ? 1 : -1;
}

TicketKey parse_key(std::string_view bytes) {
  TicketKey key;
  std::copy_n(bytes.begin(), kNameBytes, key.name.begin());
  const std::size_t half = (bytes.size() - kNameBytes) / 2;
  key.mac_key = bytes.substr(kNameBytes, half);
  key.cipher_key = bytes.substr(kNameBytes + half);
  // The short form has them the other way round.
  if (bytes.size() == kShortKey) std::swap(key.mac_key, key.cipher_key);
  return key;
}

// Its secrets are as long as those of OpenSSL's own keys.
TicketKey new_key() {
  std::array<char, kLongKey> bytes{};
  random_bytes(bytes);
  TicketKey key = parse_key({bytes.data(), bytes.size()});
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

}  // namespace

std::vector<TicketKey> parse_ticket_keys(std::string_view bytes) {
  std::vector<TicketKey> keys;
  const std::size_t size = bytes.size() % kLongKey == 0 ? kLongKey : kShortKey;
  if (bytes.size() % size != 0 || bytes.size() / size > conf::bounds::kTicketKeys) return keys;
  for (; !bytes.empty(); bytes.remove_prefix(size))
    keys.push_back(parse_key(bytes.substr(0, size)));
  return keys;
}

TicketKey::~TicketKey() {
  OPENSSL_cleanse(cipher_key.data(), cipher_key.size());
  OPENSSL_cleanse(mac_key.data(), mac_key.size());
}

TicketKeyRing::TicketKeyRing(std::vector<TicketKey> keys) : keys_(std::move(keys)) {}

TicketKeyRing::~TicketKeyRing() = default;

std::shared_ptr<TicketKeyRing> TicketKeyRing::made(Clock::time_point now) {
  std::vector<TicketKey> keys;
  keys.push_back(new_key());
  auto ring = std::make_shared<TicketKeyRing>(std::move(keys));
  ring->made_ = true;
  ring->since_ = now;
  return ring;
}

std::shared_ptr<TicketKeyRing> TicketKeyRing::taken_over(std::string_view bytes,
                                                         std::chrono::seconds age,
                                                         Clock::time_point now) {
  if (bytes.size() % kLongKey != 0 || bytes.size() / kLongKey > kMadeKeys) return nullptr;
  auto keys = parse_ticket_keys(bytes);
  if (keys.empty()) return nullptr;
  auto ring = std::make_shared<TicketKeyRing>(std::move(keys));
  ring->made_ = true;
  ring->since_ = now - std::clamp<std::chrono::seconds>(age, std::chrono::seconds{0}, kLife);
  return ring;
}

std::string TicketKeyRing::bytes() const {
  const std::lock_guard lock(mutex_);
  std::string all;
  all.reserve(keys_.size() * kLongKey);  // no copy stays behind
  for (const TicketKey& key : keys_) {
    all.append(key.name.begin(), key.name.end());
    all += key.mac_key;
    all += key.cipher_key;
  }
  return all;
}

std::chrono::seconds TicketKeyRing::age(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  return std::chrono::duration_cast<std::chrono::seconds>(now - since_);
}

bool TicketKeyRing::rotate(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (!made_ || now - since_ < kLife) return false;
  keys_.insert(keys_.begin(), new_key());
  if (keys_.size() > kMadeKeys) keys_.pop_back();
  since_ = now;
  return true;
}

TicketKey TicketKeyRing::first() const {
  const std::lock_guard lock(mutex_);
  return keys_.front();
}

std::optional<TicketKeyRing::Found> TicketKeyRing::find(const unsigned char* name) const {
  const std::lock_guard lock(mutex_);
  const auto key = std::find_if(keys_.begin(), keys_.end(), [name](const TicketKey& one) {
    return std::equal(one.name.begin(), one.name.end(), name);
  });
  if (key == keys_.end()) return std::nullopt;
  return Found{*key, key == keys_.begin()};
}

bool use_ticket_keys(ssl_ctx_st* context, std::shared_ptr<TicketKeyRing> keys) {
  auto owned = std::make_unique<Keys>(std::move(keys));
  if (!*owned || SSL_CTX_set_ex_data(context, keys_index(), owned.get()) != 1) return false;
  static_cast<void>(owned.release());  // the context's now
  return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1;
}

std::shared_ptr<TicketKeyRing> ticket_keys_of(const ssl_ctx_st* context) {
  const auto* keys = static_cast<const Keys*>(SSL_CTX_get_ex_data(context, keys_index()));
  return keys == nullptr ? nullptr : *keys;
}

}  // namespace fairlead::tls
