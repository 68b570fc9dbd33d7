#pragma once
// Peers of a record layer: one of OpenSSL's own, in either role, and one that holds the right keys
// and sends whatever it is told.

#include <array>

#include "tests/unit/tls/rig.h"
#include "tls/record_layer.h"
#include "tls/take_over.h"

namespace fairlead::tls::rig {

constexpr std::array<Suite, 3> kAllSuites = {Suite::aes_128_gcm_sha256, Suite::aes_256_gcm_sha384,
                                             Suite::chacha20_poly1305_sha256};

inline const char* suite_name(Suite suite) {
  if (suite == Suite::aes_128_gcm_sha256) return "TLS_AES_128_GCM_SHA256";
  if (suite == Suite::aes_256_gcm_sha384) return "TLS_AES_256_GCM_SHA384";
  return "TLS_CHACHA20_POLY1305_SHA256";
}

inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

// In the order they are written: that of the operands of + is the compiler's.
inline std::string joined(std::initializer_list<std::string> parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

// Bytes of a record that says `type` outside.
inline std::string raw_record(std::uint8_t type, std::string_view body) {
  return std::string{static_cast<char>(type), 3, 3, static_cast<char>(body.size() >> 8U),
                     static_cast<char>(body.size())} +
         std::string(body);
}

// A record layer with what it read.
struct Layer {
  std::unique_ptr<RecordLayer> layer = std::make_unique<RecordLayer>();
  std::string plain;
  std::string alerts;  // what it sent while reading
  Status last = Status::want_input;

  // As TlsStream reads, with room for everything.
  Status feed(std::string_view bytes) {
    std::span<const char> in(bytes);
    std::vector<char> to(bytes.size() + RecordLayer::kMaxPlain);
    std::size_t n = 0;
    last = layer->read(in, to, n, alerts);
    plain.append(to.data(), n);
    if (last != Status::error) REQUIRE(in.empty());
    REQUIRE_FALSE(layer->has_pending());
    return last;
  }

  std::string write(std::string_view text) {
    std::string out;
    REQUIRE(layer->write(text, out) == Status::ok);
    return out;
  }
};

// The far end of a layer that was started with start_of().
struct Far {
  Direction seals;
  Direction opens;

  std::string seal(std::uint8_t type, std::string_view content) {
    std::string out;
    REQUIRE(seals.seal(type, content, out));
    return out;
  }

  std::string data(std::string_view content) { return seal(23, content); }

  // `inner` is the whole of the record's plaintext: content, type and padding.
  std::string inner(std::string inner) {
    REQUIRE_FALSE(inner.empty());
    const auto last = static_cast<std::uint8_t>(inner.back());
    inner.pop_back();
    return seal(last, inner);
  }

  // The content and, last, the type of each record in `bytes`.
  std::vector<std::string> open(std::string_view bytes) {
    std::vector<std::string> all;
    while (bytes.size() >= 5) {
      const std::size_t size = std::size_t{5} + static_cast<unsigned char>(bytes[3]) * 256U +
                               static_cast<unsigned char>(bytes[4]);
      REQUIRE(size <= bytes.size());
      std::string inner(size - 21, '\0');
      REQUIRE(opens.open(bytes.substr(0, size), inner.data()));
      all.push_back(inner);
      bytes.remove_prefix(size);
    }
    REQUIRE(bytes.empty());
    return all;
  }
};

inline RecordLayer::Start start_of(Suite suite, RecordLayer::Role role) {
  RecordLayer::Start start;
  start.suite = suite;
  start.role = role;
  start.read_secret.fill(1);
  start.write_secret.fill(2);
  return start;
}

struct Hostile {
  Layer near;
  Far far;

  explicit Hostile(Suite suite = Suite::aes_128_gcm_sha256,
                   RecordLayer::Role role = RecordLayer::Role::server,
                   std::uint32_t update_after = RecordLayer::kUpdateAfter) {
    RecordLayer::Start start = start_of(suite, role);
    start.update_after = update_after;
    REQUIRE(near.layer->start(start));
    const std::size_t size = secret_size(suite);
    REQUIRE(far.seals.start(suite, Use::seal, std::span(start.read_secret).first(size), 0));
    REQUIRE(far.opens.start(suite, Use::open, std::span(start.write_secret).first(size), 0));
  }

  // The one alert that was sent, and that all is over.
  int alert() {
    REQUIRE(near.last == Status::error);
    REQUIRE(near.layer->error()[0] != '\0');
    const auto sent = far.open(near.alerts);
    REQUIRE(sent.size() == 1);
    REQUIRE(sent[0].size() == 3);
    REQUIRE(sent[0][0] == 2);
    REQUIRE(sent[0][2] == 21);
    return static_cast<unsigned char>(sent[0][1]);
  }
};

// OpenSSL's own server over memory BIOs.
class RawServer {
 public:
  explicit RawServer(const ServerContext& of) : ssl_(SSL_new(of.get())) {
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_);
  }

  ~RawServer() { SSL_free(ssl_); }

  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  SSL* ssl() { return ssl_; }

  const std::string& plain() const { return plain_; }

  int last_error() const { return last_error_; }

  std::string feed(std::string_view bytes) {
    BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
    if (SSL_do_handshake(ssl_) == 1) {
      char part[4096];
      int n = 0;
      while ((n = SSL_read(ssl_, part, sizeof part)) > 0) {
        plain_.append(part, static_cast<std::size_t>(n));
      }
      last_error_ = SSL_get_error(ssl_, n);
    }
    return take();
  }

  std::string write(std::string_view text) {
    REQUIRE(SSL_write(ssl_, text.data(), static_cast<int>(text.size())) ==
            static_cast<int>(text.size()));
    return take();
  }

  std::string take() {
    std::string out(static_cast<std::size_t>(BIO_pending(SSL_get_wbio(ssl_))), '\0');
    BIO_read(SSL_get_wbio(ssl_), out.data(), static_cast<int>(out.size()));
    return out;
  }

 private:
  SSL* ssl_;
  std::string plain_;
  int last_error_ = 0;
};

}  // namespace fairlead::tls::rig
