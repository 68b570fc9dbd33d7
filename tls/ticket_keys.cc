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

namespace fairlead::tls {
namespace {

constexpr std::size_t kNameBytes = 16;
constexpr std::size_t kLongKey = 80;
constexpr std::size_t kShortKey = 48;

struct Keys {
  std::vector<TicketKey> list;

  Keys() = default;
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  ~Keys() {
    for (TicketKey& key : list) {
      OPENSSL_cleanse(key.cipher_key.data(), key.cipher_key.size());
      OPENSSL_cleanse(key.mac_key.data(), key.mac_key.size());
    }
  }
};

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
  auto key = keys->list.begin();
  if (encrypt == 0) {
    key = std::find_if(key, keys->list.end(), [name](const TicketKey& one) {
      return std::equal(one.name.begin(), one.name.end(), name);
    });
    if (key == keys->list.end()) return 0;
  }
  const EVP_CIPHER* kind = key->cipher_key.size() == 32 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
  if (!set_mac(mac, *key)) return -1;
  if (encrypt == 0) {
    if (EVP_DecryptInit_ex(cipher, kind, nullptr, bytes_of(key->cipher_key), iv) != 1) return -1;
    return key == keys->list.begin() ? 1 : 2;
  }
  std::copy(key->name.begin(), key->name.end(), name);
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(kind)) != 1) return -1;
  return EVP_EncryptInit_ex(cipher, kind, nullptr, bytes_of(key->cipher_key), iv) == 1 ? 1 : -1;
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

}  // namespace

std::vector<TicketKey> parse_ticket_keys(std::string_view bytes) {
  std::vector<TicketKey> keys;
  const std::size_t size = bytes.size() % kLongKey == 0 ? kLongKey : kShortKey;
  if (bytes.size() % size != 0 || bytes.size() / size > conf::bounds::kTicketKeys) return keys;
  for (; !bytes.empty(); bytes.remove_prefix(size))
    keys.push_back(parse_key(bytes.substr(0, size)));
  return keys;
}

bool use_ticket_keys(ssl_ctx_st* context, std::vector<TicketKey> keys) {
  auto owned = std::make_unique<Keys>();
  owned->list = std::move(keys);
  if (owned->list.empty() || SSL_CTX_set_ex_data(context, keys_index(), owned.get()) != 1) {
    return false;
  }
  static_cast<void>(owned.release());  // the context's now
  return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1;
}

std::string made_ticket_keys(ssl_ctx_st* context) {
  const long size = SSL_CTX_get_tlsext_ticket_keys(context, nullptr, 0);  // what it asks for
  std::string keys(static_cast<std::size_t>(size), '\0');
  const bool done = SSL_CTX_get_tlsext_ticket_keys(context, keys.data(), size) == 1;
  return done ? keys : std::string();
}

bool set_made_ticket_keys(ssl_ctx_st* context, std::string_view keys) {
  std::string copy(keys);
  const bool done =
      SSL_CTX_set_tlsext_ticket_keys(context, copy.data(), static_cast<long>(copy.size())) == 1;
  OPENSSL_cleanse(copy.data(), copy.size());
  return done;
}

}  // namespace fairlead::tls
