#pragma once
// Reads the frames of a stream along, for somebody who looks at it: each one's header and the first
// bytes of its payload, unmasked. Checks nothing: what breaks the rules is shown as it is.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxy/wire/frame.h"

namespace fairlead::wire {

class FrameTap {
 public:
  FrameTap() = default;

  // The stream stands `skip` payload bytes before the end of a frame whose header nobody saw; of
  // each frame the first `bytes` are kept.
  FrameTap(std::uint64_t skip, std::size_t bytes) : most_(bytes), left_(skip) {}

  // Calls f(const FrameHeader&, std::string_view bytes) for each frame as soon as that much of it
  // was seen. However the stream is cut, the calls are the same.
  template <class F>
  void feed(std::span<const char> in, F f) {
    while (next(in)) f(header_, std::string_view(bytes_));
  }

 private:
  bool next(std::span<const char>& in);
  bool read_header(std::span<const char>& in);
  void pass_payload(std::span<const char>& in);

  std::size_t most_ = 0;
  std::uint64_t left_ = 0;  // payload bytes of the frame to come
  bool open_ = false;       // its header was read and is yet to be told
  FrameHeader header_;
  std::array<char, kMaxFrameHeader> start_{};  // of a header
  std::size_t start_size_ = 0;
  std::string bytes_;
};

}  // namespace fairlead::wire
