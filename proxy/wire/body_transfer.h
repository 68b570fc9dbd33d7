#pragma once
// One body on its way: what came framed in one way leaves framed in the same or another, written
// anew. Chunk extensions are dropped, trailers are passed as far as they may be.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "proxy/wire/body_scanner.h"

namespace fairlead::wire {

class BodyTransfer {
 public:
  using State = BodyScanner::State;

  // What has to be writable around the bytes given to pass().
  static constexpr std::size_t kRoomBefore = 20;
  static constexpr std::size_t kRoomBehind = 8;

  // `out` is chunked, or anything else for the bare payload. A length may only leave as it came.
  BodyTransfer(Framing in, Framing::Kind out);

  // What is to be sent for the bytes that came: `out`, made in place of them, then tail().
  struct Passed {
    std::size_t taken = 0;  // of the bytes; what is left belongs to the next message
    std::span<const char> out;
  };

  Passed pass(std::span<char> bytes);

  // Behind pass(): the last chunk and the trailers where they are not in `out`; mostly "".
  std::string_view tail() const { return tail_; }

  // The same, appended; `bytes` need no room around them and are changed too. Returns taken.
  std::size_t append(std::span<char> bytes, std::string& out);

  // A body that ended with its connection: appends what says so to the next recipient.
  void append_end(std::string& out) const;

  State state() const { return scanner_.state(); }

  std::uint64_t payload_bytes() const { return scanner_.payload_bytes(); }

  std::uint64_t remaining() const { return scanner_.remaining(); }

  // What would be made of the bytes: nothing changes.
  State probe(std::string_view bytes) const;

 private:
  struct Decoded {
    std::size_t taken = 0;
    std::span<char> payload;
  };

  Decoded decode(std::span<char> bytes);
  std::string last_chunk() const;

  BodyScanner scanner_;
  bool chunked_;  // on its way out
  std::string tail_;
};

}  // namespace fairlead::wire
