#include "tls/direction.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cassert>
#include <limits>

namespace fairlead::tls {

namespace {

std::uint8_t* bytes(char* text) {
  return reinterpret_cast<std::uint8_t*>(text);
}

const std::uint8_t* bytes(const char* text) {
  return reinterpret_cast<const std::uint8_t*>(text);
}

// `body` is encrypted where it stands; the tag goes behind it.
bool encrypt(EVP_CIPHER_CTX* context, const std::uint8_t* header, std::uint8_t* body,
             std::size_t size) {
  int got = 0;
  const int length = static_cast<int>(size);
  constexpr int kHeader = Direction::kHeader;
  return EVP_EncryptUpdate(context, nullptr, &got, header, kHeader) == 1 &&
         EVP_EncryptUpdate(context, body, &got, body, length) == 1 && got == length &&
         EVP_EncryptFinal_ex(context, body + size, &got) == 1 && got == 0 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Direction::kTag, body + size) == 1;
}

bool decrypt(EVP_CIPHER_CTX* context, const std::uint8_t* header, std::size_t size,
             std::uint8_t* to) {
  const std::uint8_t* body = header + Direction::kHeader;
  std::array<std::uint8_t, Direction::kTag> tag{};
  std::copy_n(body + size, tag.size(), tag.begin());
  int got = 0;
  const int length = static_cast<int>(size);
  constexpr int kHeader = Direction::kHeader;
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Direction::kTag, tag.data()) == 1 &&
         EVP_DecryptUpdate(context, nullptr, &got, header, kHeader) == 1 &&
         (size == 0 ||
          (EVP_DecryptUpdate(context, to, &got, body, length) == 1 && got == length)) &&
         EVP_DecryptFinal_ex(context, to + size, &got) == 1 && got == 0;
}

}  // namespace

Direction::~Direction() {
  stop();
}

void Direction::stop() {
  if (started_) drop_aead(slot_);
  started_ = false;
  OPENSSL_cleanse(iv_.data(), iv_.size());
  OPENSSL_cleanse(key_.data(), key_.size());
  OPENSSL_cleanse(secret_.data(), secret_.size());
}

bool Direction::start(Suite suite, Use use, std::span<const std::uint8_t> secret,
                      std::uint64_t sequence) {
  assert(secret.size() == secret_size(suite));
  stop();
  slot_.suite = suite;
  slot_.use = use;
  std::copy(secret.begin(), secret.end(), secret_.begin());
  sequence_ = sequence;
  return derive();
}

bool Direction::update() {
  if (!started_) return false;
  drop_aead(slot_);
  const std::size_t size = secret_size(slot_.suite);
  std::array<std::uint8_t, kMaxSecret> next{};
  const std::span<std::uint8_t> to = std::span(next).first(size);
  const bool made = expand_label(slot_.suite, std::span(secret_).first(size), "traffic upd", to);
  secret_ = next;
  OPENSSL_cleanse(next.data(), next.size());
  sequence_ = 0;
  if (made && derive()) return true;
  stop();
  return false;
}

bool Direction::derive() {
  const auto secret = std::span(secret_).first(secret_size(slot_.suite));
  const auto key = std::span(key_).first(key_size(slot_.suite));
  slot_.tag = new_aead_tag();
  started_ =
      expand_label(slot_.suite, secret, "key", key) && expand_label(slot_.suite, secret, "iv", iv_);
  if (!started_) stop();
  return started_;
}

// Ready for the record of the present number; null when there is none (RFC 8446 5.3: it must not
// wrap).
EVP_CIPHER_CTX* Direction::context() {
  if (!started_ || sequence_ == std::numeric_limits<std::uint64_t>::max()) return nullptr;
  std::array<std::uint8_t, kIvSize> nonce = iv_;
  std::uint64_t number = sequence_;
  for (std::size_t i = nonce.size(); number != 0; number >>= 8U) {
    --i;
    nonce[i] = static_cast<std::uint8_t>(nonce[i] ^ (number & 0xffU));
  }
  return borrow_aead(slot_, std::span(key_).first(key_size(slot_.suite)), nonce);
}

bool Direction::seal(std::uint8_t type, std::span<const char> content, std::string& out) {
  const std::size_t before = out.size();
  const std::size_t inner = content.size() + 1;
  const std::size_t length = inner + kTag;
  assert(length <= 0xffff);
  const std::array<char, kHeader> header{0x17, 3, 3, static_cast<char>(length >> 8U),
                                         static_cast<char>(length & 0xffU)};
  out.append(header.data(), header.size());
  out.append(content.data(), content.size());
  out.push_back(static_cast<char>(type));
  out.append(kTag, '\0');
  EVP_CIPHER_CTX* ready = context();
  std::uint8_t* record = bytes(out.data()) + before;
  if (ready == nullptr || !encrypt(ready, record, record + kHeader, inner)) {
    ERR_clear_error();
    out.resize(before);
    return false;
  }
  ++sequence_;
  return true;
}

bool Direction::open(std::span<const char> record, char* to) {
  assert(record.size() >= kHeader + kTag);
  const std::size_t size = record.size() - kHeader - kTag;
  EVP_CIPHER_CTX* ready = context();
  if (ready == nullptr || !decrypt(ready, bytes(record.data()), size, bytes(to))) {
    ERR_clear_error();
    OPENSSL_cleanse(to, size);
    return false;
  }
  ++sequence_;
  return true;
}

}  // namespace fairlead::tls
