#pragma once
// A server's engine against two kinds of client over strings: our own client engine, and OpenSSL
// used directly, which can do what ours refuses (old versions, renegotiation, foreign ALPN, key
// updates) and is an oracle of its own.

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/self_signed.h"

namespace fairlead::tls::rig {

using Version = conf::ListenerTls::Version;
using Status = Engine::Status;

inline const SelfSigned& certificate() {
  static const SelfSigned kMade = make_self_signed();
  return kMade;
}

inline std::shared_ptr<const ServerContext> context(Version min_version = Version::tls12,
                                                    bool compact = false) {
  auto made =
      ServerContext::from_pem(certificate().certificate, certificate().key, min_version, compact);
  REQUIRE(made.error.empty());
  return made.context;
}

// An engine with what it was sent and what it read.
struct Side {
  std::unique_ptr<Engine> engine;
  std::string in;      // ciphertext not yet taken
  std::string plain;   // what was decrypted
  bool ready = false;  // the handshake is done
  Status last = Status::want_input;
  std::size_t room = 64 * 1024;  // of `to`

  // Takes `bytes` in, as a caller would after one recv; returns what it answers.
  std::string feed(std::string_view bytes) {
    in.append(bytes);
    std::string out;
    std::span<const char> left(in);
    if (!ready) {
      last = engine->handshake(left, out);
      ready = last == Status::ok;
    }
    if (ready) {
      std::vector<char> to(room);
      do {
        std::size_t n = 0;
        last = engine->read(left, to, n, out);
        plain.append(to.data(), n);
      } while (last == Status::ok && (engine->has_pending() || !left.empty()));
    }
    in.erase(0, in.size() - left.size());
    return out;
  }

  std::string write(std::string_view text) {
    std::string out;
    REQUIRE(engine->write(text, out) == Status::ok);
    return out;
  }

  // A record, or more, for each text, in this order.
  std::string write_all(std::initializer_list<std::string_view> texts) {
    std::string out;
    for (const std::string_view text : texts) out += write(text);
    return out;
  }
};

inline Side server(const ServerContext& of) {
  Side side;
  side.engine = Engine::server(of);
  REQUIRE(side.engine);
  return side;
}

inline Side client(const std::string& name = "localhost", bool compact = false) {
  Side side;
  side.engine = Engine::insecure_client(name, compact);
  REQUIRE(side.engine);
  return side;
}

// OpenSSL's own client over memory BIOs.
class RawClient {
 public:
  struct Options {
    int version = TLS1_3_VERSION;
    std::string alpn = "";  // wire form: "\x08http/1.1"
    SSL_SESSION* session = nullptr;
    std::string name = "localhost";
  };

  explicit RawClient(const Options& options) {
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context_, options.version);
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_, keep_session);
    ssl_ = SSL_new(context_);
    SSL_set_app_data(ssl_, reinterpret_cast<char*>(this));
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_);
    SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             std::string(options.name).data());
    if (!options.alpn.empty()) {
      SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(options.alpn.data()),
                          static_cast<unsigned>(options.alpn.size()));
    }
    if (options.session != nullptr) SSL_set_session(ssl_, options.session);
  }

  ~RawClient() {
    SSL_free(ssl_);
    SSL_SESSION_free(session_);
    SSL_CTX_free(context_);
  }

  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  SSL* ssl() { return ssl_; }

  SSL_SESSION* session() { return session_; }

  const std::string& plain() const { return plain_; }

  // Everything it has to send after taking `bytes` in.
  std::string feed(std::string_view bytes) {
    BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
    if (SSL_do_handshake(ssl_) == 1) {
      char part[4096];
      for (int n = 0; (n = SSL_read(ssl_, part, sizeof part)) > 0;) {
        plain_.append(part, static_cast<std::size_t>(n));
      }
    }
    return take();
  }

  std::string write(std::string_view text) {
    SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
    return take();
  }

  std::string take() {
    std::string out(static_cast<std::size_t>(BIO_pending(SSL_get_wbio(ssl_))), '\0');
    BIO_read(SSL_get_wbio(ssl_), out.data(), static_cast<int>(out.size()));
    return out;
  }

 private:
  static int keep_session(SSL* ssl, SSL_SESSION* session) {
    auto* self = static_cast<RawClient*>(static_cast<void*>(SSL_get_app_data(ssl)));
    SSL_SESSION_free(self->session_);
    self->session_ = session;
    return 1;
  }

  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  SSL_SESSION* session_ = nullptr;
  std::string plain_;
};

// Flights to and fro until both are silent.
template <typename Client>
void shake(Client& from, Side& to) {
  std::string flight = from.feed({});
  for (int turn = 0; turn < 6 && !flight.empty(); ++turn) flight = from.feed(to.feed(flight));
}

}  // namespace fairlead::tls::rig
