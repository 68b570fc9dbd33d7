#pragma once
// The record layer of an established TLS 1.3 connection (RFC 8446 5): application data, alerts and
// key updates, in either role, over the caller's buffers. It takes a connection over from OpenSSL,
// whose own state of one is twenty times as large, and keeps the keys of both directions only.
//
// Not handled, and refused with unexpected_message: post-handshake authentication (never offered).
// A client's tickets are skipped.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tls/direction.h"
#include "tls/post_handshake.h"
#include "tls/status.h"

namespace fairlead::tls {

class RecordLayer {
 public:
  enum class Role : std::uint8_t { client, server };

  static constexpr std::size_t kMaxPlain = 16 * 1024;  // RFC 8446 5.1
  // All of the three suites add a type and a tag, so the 2^14 + 256 of RFC 8446 5.2 are never due.
  static constexpr std::size_t kMaxCipher = kMaxPlain + 1 + Direction::kTag;
  // Below the 2^24.5 full records of RFC 8446 5.5; where ChaCha20 could go on, it does no harm.
  static constexpr std::uint32_t kUpdateAfter = 1U << 24U;
  // Records in a row that bring no data (empty ones, tickets, key updates), as many as OpenSSL's.
  static constexpr std::uint8_t kMaxIdle = 32;

  // Where a connection is taken over. Cleansed when it goes.
  struct Start {
    Suite suite = Suite::aes_128_gcm_sha256;
    Role role = Role::server;
    std::array<std::uint8_t, kMaxSecret> read_secret{};
    std::array<std::uint8_t, kMaxSecret> write_secret{};
    std::uint64_t written = 0;  // records under the write secret so far
    std::uint32_t update_after = kUpdateAfter;
    std::uint16_t max_plain = kMaxPlain;  // less where the client asked for it (RFC 6066 4)

    Start() = default;
    Start(const Start&) = default;
    Start& operator=(const Start&) = default;
    ~Start();
  };

  RecordLayer();
  ~RecordLayer();
  RecordLayer(const RecordLayer&) = delete;
  RecordLayer& operator=(const RecordLayer&) = delete;

  // Once, before all else. False where OpenSSL has no memory.
  bool start(const Start& from);

  // As tls::Engine's. After an error the keys are gone, and nothing but has_pending() and error()
  // may be called.
  Status read(std::span<const char>& in, std::span<char> to, std::size_t& n, std::string& out);
  Status write(std::span<const char> plain, std::string& out);
  void close_notify(std::string& out);
  bool has_pending() const;

  // Why, in OpenSSL's words for it; "" for no error. Never freed.
  const char* error() const { return error_ == nullptr ? "" : error_; }

 private:
  enum class Alert : std::uint8_t;
  struct Held;
  struct Offence;

  static const Offence* offence_of(std::span<const char> header);
  Status next(std::span<const char>& in, std::span<const char>& record, std::string& out);
  Status complete(std::span<const char>& in, std::span<const char>& record, std::string& out);
  Status judge_header(std::span<const char> header, std::string& out);
  Status take(std::span<const char> record, std::span<char> to, std::size_t& n, std::string& out);
  Status take_data(std::span<const char> content, std::span<char> to, std::size_t& n,
                   std::string& out);
  Status take_alert(std::span<const char> content, std::string& out);
  Status take_messages(std::span<const char> content, std::string& out);
  Status count_idle(std::string& out);
  Status follow_update(bool answer, bool at_end, std::string& out);
  Status fail(Alert alert, const char* line, std::string& out);
  Status stop(const char* line);
  bool update_own_keys(std::string& out);
  void give_held_plain(std::span<char> to, std::size_t& n);
  void hold(std::span<const char> cipher);
  void let_go();
  Held& held();

  Direction read_;
  Direction write_;
  std::unique_ptr<Held> held_;
  const char* error_ = nullptr;
  PostHandshake messages_;
  std::uint32_t update_after_ = kUpdateAfter;
  std::uint16_t max_plain_ = kMaxPlain;  // of a record, either way
  Role role_ = Role::server;
  std::uint8_t idle_ = 0;
  bool answer_update_ = false;  // before our next data (RFC 8446 4.6.3)
  bool read_closed_ = false;
  bool write_closed_ = false;
};

}  // namespace fairlead::tls
