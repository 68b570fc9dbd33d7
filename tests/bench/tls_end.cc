#include "tests/bench/tls_end.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>

#include "tests/bench/sockets.h"

namespace fairlead::bench {

int wire_read(BIO* bio, char* out, int size) {
  auto* end = static_cast<TlsEnd*>(BIO_get_data(bio));
  std::size_t n = std::min(end->in_.size(), static_cast<std::size_t>(size));
  BIO_clear_retry_flags(bio);
  if (n == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(out, end->in_.data(), n);
  end->in_ = end->in_.subspan(n);
  return static_cast<int>(n);
}

namespace {

int wire_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  TlsEnd::sealed().append(bytes, static_cast<std::size_t>(size));
  return size;
}

long wire_control(BIO*, int what, long, void*) {
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* wire_method() {
  static BIO_METHOD* method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bench");
    BIO_meth_set_read(made, wire_read);
    BIO_meth_set_write(made, wire_write);
    BIO_meth_set_ctrl(made, wire_control);
    return made;
  }();
  return method;
}

SSL_CTX* make_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set1_groups_list(context, "P-256");
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace

SSL_CTX* client_context() {
  static SSL_CTX* context = make_context(TLS_client_method());
  return context;
}

SSL_CTX* server_context(const std::string& cert, const std::string& key) {
  static SSL_CTX* context = make_context(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, cert.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    die("cannot use " + cert + " and " + key);
  }
  return context;
}

TlsEnd::TlsEnd(SSL_CTX* context, bool server) : ssl_(SSL_new(context)) {
  BIO* bio = BIO_new(wire_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  if (server) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
    static char name[] = "localhost";
    SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
  }
}

TlsEnd::~TlsEnd() {
  // Else OpenSSL takes the session for broken, and its ticket is not offered again.
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
}

std::string& TlsEnd::sealed() {
  static std::string bytes;
  return bytes;
}

void TlsEnd::begin() {
  SSL_do_handshake(ssl_);
}

TlsEnd::Opened TlsEnd::open(std::span<const char> sealed) {
  static char plain[kMostFed + 32 * 1024];  // a record begun by an earlier call may come on top
  in_ = sealed;
  std::size_t size = 0;
  ERR_clear_error();
  while (true) {
    int n = SSL_read(ssl_, plain + size, static_cast<int>(sizeof plain - size));
    if (n <= 0) return {SSL_get_error(ssl_, n) != SSL_ERROR_WANT_READ, {plain, size}};
    size += static_cast<std::size_t>(n);
  }
}

void TlsEnd::seal(std::span<const char> plain) {
  if (!plain.empty()) SSL_write(ssl_, plain.data(), static_cast<int>(plain.size()));
}

}  // namespace fairlead::bench
