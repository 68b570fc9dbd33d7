#pragma once
// A connection as bytes, plain or TLS, with what its peer has not taken yet.

#include <limits>
#include <memory>
#include <span>
#include <string>

#include "tests/bench/tls_end.h"

namespace fairlead::bench {

class Channel {
 public:
  Channel() = default;

  // Owns `fd`. `tls` is null for plain bytes.
  explicit Channel(int fd, std::unique_ptr<TlsEnd> tls = nullptr) : fd_(fd), tls_(std::move(tls)) {}

  Channel(Channel&& other) noexcept;
  Channel& operator=(Channel&& other) noexcept;
  ~Channel();

  int fd() const { return fd_; }

  TlsEnd* tls() const { return tls_.get(); }

  struct Read {
    bool ended = false;
    std::span<const char> bytes;  // good until the next read of any channel
  };

  // Reads once.
  Read read(std::size_t limit = std::numeric_limits<std::size_t>::max());
  // Sends, and keeps what is not taken; false when the connection has ended.
  bool write(std::span<const char> bytes);
  bool flush();
  // Sends what TLS itself has to say (a client's first flight).
  bool begin_tls();

  bool pending() const { return !out_.empty(); }

 private:
  bool send_or_keep(std::span<const char> bytes);
  bool send_sealed();

  int fd_ = -1;
  std::unique_ptr<TlsEnd> tls_;
  std::string out_;
  std::size_t sent_ = 0;  // of out_
};

}  // namespace fairlead::bench
