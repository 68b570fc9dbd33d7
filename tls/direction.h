#pragma once
// Protected records of one direction of a TLS 1.3 connection (RFC 8446 5.2, 5.3): its secret, keys
// and sequence number, nothing else. What records may say is RecordLayer's.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tls/aead_cache.h"
#include "tls/key_schedule.h"

namespace fairlead::tls {

class Direction {
 public:
  static constexpr std::size_t kHeader = 5;
  static constexpr std::size_t kTag = 16;

  Direction() = default;
  ~Direction();  // all of it cleansed
  Direction(const Direction&) = delete;
  Direction& operator=(const Direction&) = delete;

  // `secret` is of the suite's size; `sequence` the number of the next record. False where OpenSSL
  // has no memory; nothing can be opened or sealed then.
  bool start(Suite suite, Use use, std::span<const std::uint8_t> secret, std::uint64_t sequence);
  // The next generation of keys (RFC 8446 7.2), from record 0. False as above.
  bool update();
  // Forgets the keys.
  void stop();

  std::uint64_t sequence() const { return sequence_; }

  // Appends a record of `content` and its type (RFC 8446 5.2: without padding). False where nothing
  // can be sealed: `out` is then as it was.
  bool seal(std::uint8_t type, std::span<const char> content, std::string& out);

  // Decrypts a whole record with its header into `to`, which has room for all behind the header but
  // the tag. False: it is not authentic, and the room is zeros.
  bool open(std::span<const char> record, char* to);

 private:
  bool derive();
  evp_cipher_ctx_st* context();

  std::uint64_t sequence_ = 0;
  AeadSlot slot_;
  bool started_ = false;
  std::array<std::uint8_t, kIvSize> iv_{};
  std::array<std::uint8_t, kMaxKey> key_{};
  std::array<std::uint8_t, kMaxSecret> secret_{};
};

}  // namespace fairlead::tls
