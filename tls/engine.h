#pragma once
// One TLS connection as bytes in and bytes out over the caller's buffers: no sockets, no allocation of its own per
// record. The caller receives ciphertext once per wake-up and feeds it whole; what is to be sent is gathered in
// the caller's string and leaves in one send.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tls/context.h"

struct ssl_st;

namespace fairlead::tls {

class Engine {
 public:
  enum class Status : std::uint8_t {
    ok,
    want_input,  // everything fed was used up; feed more
    closed,      // the peer sent close_notify: nothing more will come
    error,       // last_error() has the line; the connection is unusable
  };

  // `context` may go before the engine does (OpenSSL counts it). Null engine where OpenSSL has no memory.
  static std::unique_ptr<Engine> server(const ServerContext& context);
  // For tests and, later, connections to backends: a client that verifies nothing.
  static std::unique_ptr<Engine> insecure_client(const std::string& server_name);
  ~Engine();

  // Each call takes the ciphertext that came, from `in`, advancing it past what OpenSSL took, and appends ciphertext to
  // send to `out`. With want_input, `in` has been used up (an incomplete record is kept inside OpenSSL).
  Status handshake(std::span<const char>& in, std::string& out);
  // Decrypts into `to` as many records as fit; `n` is what it wrote, also when the status is not ok. ok: `to` is
  // full, or `in` and what OpenSSL holds is used up and n > 0. want_input: nothing came. closed, error: after the n bytes.
  // A `to` at least as large as `in` always uses `in` up.
  Status read(std::span<const char>& in, std::span<char> to, std::size_t& n, std::string& out);
  // Encrypts all of `plain`.
  Status write(std::span<const char> plain, std::string& out);
  // Appends close_notify (once).
  void close_notify(std::string& out);

  // Bytes decrypted but not yet read (only after a `to` that was too small).
  bool has_pending() const;

  std::string_view version() const;  // "TLSv1.3"; "" before the handshake is done
  std::string_view sni() const;      // the name the client asked for, "" for none; valid while the engine lives
  bool resumed() const;
  const std::string& last_error() const;

 private:
  Engine();
  struct Wire;  // what the BIO reads from and writes to during a call
  ssl_st* ssl_ = nullptr;
};

}  // namespace fairlead::tls
