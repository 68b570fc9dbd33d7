#pragma once
// One end of a TLS connection over memory: one recv feeds all records in it, all that is to be sent
// leaves with one send.

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>

namespace fairlead::bench {

// What every TLS measurement speaks: TLS 1.3, AES-128-GCM, P-256. One of each a program.
SSL_CTX* client_context();
SSL_CTX* server_context(const std::string& cert, const std::string& key);

class TlsEnd {
 public:
  TlsEnd(SSL_CTX* context, bool server);
  TlsEnd(const TlsEnd&) = delete;
  TlsEnd& operator=(const TlsEnd&) = delete;
  ~TlsEnd();

  // A client's first flight, into sealed().
  void begin();

  struct Opened {
    bool ended = false;           // closed by the peer, or broken
    std::span<const char> plain;  // good until the next call for any end
  };

  // Decrypts all of it, at most kMostFed bytes; what TLS itself answers goes to sealed().
  Opened open(std::span<const char> sealed);
  void seal(std::span<const char> plain);

  bool established() const { return SSL_is_init_finished(ssl_) != 0; }

  bool resumed() const { return SSL_session_reused(ssl_) != 0; }

  void offer(SSL_SESSION* session) { SSL_set_session(ssl_, session); }

  // Ciphertext to send, of whichever end was used last: the caller takes it before it uses another.
  static std::string& sealed();

  static constexpr std::size_t kMostFed = 256 * 1024;

 private:
  struct Wire;

  SSL* ssl_;
  std::span<const char> in_;

  friend int wire_read(BIO* bio, char* out, int size);
};

}  // namespace fairlead::bench
