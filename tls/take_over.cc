#include "tls/take_over.h"

#include <openssl/ssl.h>

#include <new>
#include <string_view>

namespace fairlead::tls {

namespace {

struct Noted {
  RecordLayer::Start start;
  std::size_t read_size = 0;  // of the secrets; 0: not seen yet
  std::size_t write_size = 0;
  std::uint64_t read = 0;  // records that came under the read secret
};

void free_noted(void* /*ssl*/, void* noted, CRYPTO_EX_DATA* /*data*/, int /*index*/,
                long /*number*/, void* /*pointer*/) {
  delete static_cast<Noted*>(noted);
}

int noted_index() {
  static const int kIndex =
      CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, nullptr, nullptr, nullptr, free_noted);
  return kIndex;
}

Noted* noted_of(const SSL* ssl) {
  return static_cast<Noted*>(SSL_get_ex_data(ssl, noted_index()));
}

// Null where there is no memory: the connection then stays with OpenSSL.
Noted* make_noted(SSL* ssl) {
  if (Noted* noted = noted_of(ssl)) return noted;
  Noted* noted = new (std::nothrow) Noted;
  if (noted == nullptr) return nullptr;
  noted->start.role =
      SSL_is_server(ssl) == 1 ? RecordLayer::Role::server : RecordLayer::Role::client;
  if (SSL_set_ex_data(ssl, noted_index(), noted) == 1) return noted;
  delete noted;
  return nullptr;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Bytes read, 0 for what is no hex of at most `to`'s size.
std::size_t read_hex(std::string_view text, std::span<std::uint8_t> to) {
  if (text.size() % 2 != 0 || text.size() / 2 > to.size()) return 0;
  for (std::size_t i = 0; i < text.size() / 2; ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return 0;
    to[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return text.size() / 2;
}

// A line of NSS's key log: a label, the client's random, the secret. It comes when a direction is
// about to change its keys, so records are counted from here.
void note_secret(const SSL* watched, const char* text) {
  const std::string_view line(text);
  const std::string_view label = line.substr(0, line.find(' '));
  const bool of_client = label == "CLIENT_TRAFFIC_SECRET_0";
  if (!of_client && label != "SERVER_TRAFFIC_SECRET_0") return;
  // OpenSSL gives its own object, const only by this callback's type.
  Noted* noted = make_noted(const_cast<SSL*>(watched));
  if (noted == nullptr) return;
  const std::string_view hex = line.substr(line.rfind(' ') + 1);
  const bool reads = of_client == (noted->start.role == RecordLayer::Role::server);
  if (reads) {
    noted->read_size = read_hex(hex, noted->start.read_secret);
    noted->read = 0;
  } else {
    noted->write_size = read_hex(hex, noted->start.write_secret);
    noted->start.written = 0;
  }
}

// A server has sent its tickets under its application keys before the handshake is over.
void count_record(int written, int /*version*/, int type, const void* /*bytes*/,
                  std::size_t /*size*/, SSL* ssl, void* /*unused*/) {
  if (type != SSL3_RT_HEADER) return;
  Noted* noted = noted_of(ssl);
  if (noted == nullptr) return;
  if (written != 0) {
    ++noted->start.written;
  } else {
    ++noted->read;
  }
}

// What a record may hold: the handshake can have agreed on less than usual (RFC 6066 4).
std::uint16_t max_plain(const SSL* ssl) {
  const SSL_SESSION* session = SSL_get_session(ssl);
  const unsigned code = session == nullptr ? 0 : SSL_SESSION_get_max_fragment_length(session);
  if (code < TLSEXT_max_fragment_length_512 || code > TLSEXT_max_fragment_length_4096)
    return RecordLayer::kMaxPlain;
  return static_cast<std::uint16_t>(256U << code);
}

// OpenSSL holds nothing of the connection that is not in `noted` too.
bool is_quiet(const SSL* ssl, const Noted& noted) {
  return SSL_is_init_finished(ssl) == 1 && noted.read == 0 && SSL_pending(ssl) == 0 &&
         SSL_has_pending(ssl) == 0 && SSL_get_shutdown(ssl) == 0 &&
         SSL_get_key_update_type(ssl) == SSL_KEY_UPDATE_NONE;
}

}  // namespace

void watch_secrets(ssl_ctx_st* context) {
  if (noted_index() < 0) return;
  SSL_CTX_set_keylog_callback(context, note_secret);
  SSL_CTX_set_msg_callback(context, count_record);
}

const RecordLayer::Start* take_over(ssl_st* ssl) {
  Noted* noted = noted_of(ssl);
  if (noted == nullptr || SSL_version(ssl) != TLS1_3_VERSION || !is_quiet(ssl, *noted)) {
    return nullptr;
  }
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const auto suite =
      cipher == nullptr ? std::nullopt : suite_of(SSL_CIPHER_get_protocol_id(cipher));
  if (!suite) return nullptr;
  const std::size_t size = secret_size(*suite);
  if (noted->read_size != size || noted->write_size != size) return nullptr;
  noted->start.suite = *suite;
  noted->start.max_plain = max_plain(ssl);
  return &noted->start;
}

void forget_secrets(ssl_st* ssl) {
  SSL_set_msg_callback(ssl, nullptr);
  Noted* noted = noted_of(ssl);
  if (noted == nullptr) return;  // setting even null would cost every connection a table
  SSL_set_ex_data(ssl, noted_index(), nullptr);
  delete noted;
}

}  // namespace fairlead::tls
