#pragma once
// One TLS connection as bytes in and bytes out over the caller's buffers: no sockets, no allocation
// of its own per record. The caller receives ciphertext once per wake-up and feeds it whole; what
// is to be sent is gathered in the caller's string and leaves in one send.
//
// Where its context says `compact`, a TLS 1.3 connection leaves OpenSSL at the end of its
// handshake: RecordLayer goes on with it, and OpenSSL's object is freed. All calls stay the same.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tls/context.h"
#include "tls/status.h"

struct ssl_st;

namespace fairlead::tls {

class Engine {
 public:
  using Status = tls::Status;  // with error, last_error() has the line

  static constexpr std::size_t kMaxRecord = 16 * 1024;  // plaintext of a record (RFC 8446 5.1)

  // `context` may go before the engine does (OpenSSL counts it). Null engine where OpenSSL has no
  // memory.
  static std::unique_ptr<Engine> server(const ServerContext& context);
  // For tests and, later, connections to backends: a client that verifies nothing.
  static std::unique_ptr<Engine> insecure_client(const std::string& server_name,
                                                 bool compact = false);
  ~Engine();

  // Each call takes the ciphertext that came, from `in`, advancing it past what OpenSSL took, and
  // appends ciphertext to send to `out`. With want_input, `in` has been used up (an incomplete
  // record is kept inside OpenSSL).
  Status handshake(std::span<const char>& in, std::string& out);
  // Decrypts into `to` as many records as fit; `n` is what it wrote, also when the status is not
  // ok. ok: `to` is full, or `in` and what OpenSSL holds is used up and n > 0. want_input: nothing
  // came. closed, error: after the n bytes. A `to` at least as large as `in` always uses `in` up.
  // But a record begun earlier can fill it before that, and the engine then keeps a copy of the
  // rest (at most a record): ask has_pending() and read again, or give a `to` that is kMaxRecord
  // larger than `in` and nothing is ever pending.
  // What could go on being answered without end is an error: renegotiation (TLS 1.2), and more than
  // RecordLayer::kMaxIdle key updates in a row without data.
  Status read(std::span<const char>& in, std::span<char> to, std::size_t& n, std::string& out);
  // Encrypts all of `plain`.
  Status write(std::span<const char> plain, std::string& out);
  // Appends close_notify (once).
  void close_notify(std::string& out);

  // There is more to read without new input (only after a `to` that was filled).
  bool has_pending() const;

  // Something of the peer's has come.
  bool begun() const;

  std::string_view version() const;  // "TLSv1.3"; "" before the handshake is done
  std::string_view sni()
      const;  // the name the client asked for, "" for none; valid while the engine lives
  bool resumed() const;

  bool compact() const { return ssl_ == nullptr; }  // has left OpenSSL

  const std::string& last_error() const;

 private:
  class Call;
  struct Compact;
  struct Rare;

  Engine();
  static std::unique_ptr<Engine> make(ssl_ctx_st* context);
  Status failure(int result);
  Status fail(std::string line);
  bool failed() const;
  void keep_rest(std::span<const char>& in);
  void note_idle(std::uint8_t idle);
  void try_compact();
  Status judge(Status status);

  // Every idle connection pays for these pointers (malloc's smallest piece holds three), and for
  // nothing else of ours but its BIO, or what Compact has. One of the first two is null.
  ssl_st* ssl_ = nullptr;
  std::unique_ptr<Compact> compact_;
  std::unique_ptr<Rare> rare_;
};

}  // namespace fairlead::tls
