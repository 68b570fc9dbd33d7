#pragma once
// Walks a message body and says where it ends (RFC 9112 6, 7) and where its payload stands. The
// chunked coding is checked strictly: no signs, no blanks in front of sizes (nor behind them,
// unless Framing::padded), no overflow, no bare LF, bounded extensions and trailers, no trailer
// that speaks of framing, routing or credentials (RFC 9110 6.5.1).

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/wire/head_parser.h"

namespace fairlead::wire {

class BodyScanner {
 public:
  enum class State : std::uint8_t { more, complete, error };

  explicit BodyScanner(Framing framing);

  // A run of the body: bytes of the coding, then payload, which ends where the part does.
  struct Part {
    std::size_t taken = 0;
    std::size_t payload = 0;
  };

  // The first part of `bytes`. Nothing is taken behind the body's end.
  Part next(std::string_view bytes);

  // How many of `bytes` belong to the body. After complete, what is left belongs to the next
  // message. until_close never completes by itself. On error the bytes before the offending one are
  // counted.
  std::size_t scan(std::string_view bytes);

  State state() const { return state_; }

  std::uint64_t payload_bytes() const { return payload_; }  // body bytes without the coding's own

  // So many of the bytes to come belong to the body for certain: payload that was announced.
  std::uint64_t remaining() const { return state_ == State::more ? remaining_ : 0; }

  // The lines behind the last chunk, each with its CRLF, checked; "" for none. Whole once complete.
  const std::string& trailers() const { return trailers_; }

 private:
  enum class Chunk : std::uint8_t {
    size,
    padding,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf,
  };
  static constexpr std::size_t kNameBytes = 24;  // longer than any name a trailer may not have

  std::size_t scan_data(std::size_t available);
  std::size_t skip_coding(std::string_view bytes);
  bool step(char c);
  bool step_size(char c);
  bool end_size(char c);
  bool step_extension(char c);
  bool step_trailer_name(char c);
  bool step_trailer_value(char c);
  bool expect(char c, char wanted, Chunk next);
  bool begin_chunk();
  bool count_trailer_byte();

  Framing::Kind kind_;
  bool padded_;  // blanks may stand behind a size
  State state_ = State::more;
  Chunk chunk_ = Chunk::size;
  std::uint8_t digits_ = 0;     // of the chunk's size so far
  std::uint8_t name_size_ = 0;  // of the trailer's name so far, at most kNameBytes
  std::array<char, kNameBytes> name_{};
  std::uint32_t overhead_ = 0;   // bytes of the current extension or of all trailers, bounded
  std::uint64_t remaining_ = 0;  // payload bytes of the body, or of the chunk, still to come
  std::uint64_t payload_ = 0;
  std::string trailers_;
};

}  // namespace fairlead::wire
