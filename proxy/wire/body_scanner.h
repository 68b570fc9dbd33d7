#pragma once
// Walks a message body and says where it ends (RFC 9112 6, 7). Bodies are passed on as they came;
// the chunked coding is checked strictly: no signs, no spaces in sizes, no overflow, no bare LF, bounded extensions
// and trailers.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/wire/head_parser.h"

namespace fairlead::wire {

class BodyScanner {
 public:
  enum class State : std::uint8_t { more, complete, error };

  explicit BodyScanner(Framing framing);

  // How many of `bytes` belong to the body. After complete, what is left belongs to the next message.
  // until_close never completes by itself.
  std::size_t scan(std::string_view bytes);
  State state() const { return state_; }
  std::uint64_t payload_bytes() const { return payload_; }  // body bytes without the coding's own

 private:
  enum class Chunk : std::uint8_t { size, extension, size_lf, data, data_cr, data_lf, trailer_start, trailer, trailer_lf, last_lf };

  std::size_t scan_chunked(std::string_view bytes);

  Framing::Kind kind_;
  State state_ = State::more;
  Chunk chunk_ = Chunk::size;
  std::uint64_t remaining_ = 0;
  std::uint64_t payload_ = 0;
  std::uint32_t digits_ = 0;
  std::uint32_t overhead_ = 0;  // bytes of the current extension or of all trailers, bounded
};

}  // namespace fairlead::wire
