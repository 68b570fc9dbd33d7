#pragma once
// Frames as the bench's clients and backend need them.

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "proxy/wire/frame.h"

namespace fairlead::bench {

// A client masks, a backend does not.
enum class Side : std::uint8_t { client, backend };

// A binary frame of `size` bytes of payload.
std::string make_message(std::size_t size, Side side);

// A control frame as a client sends it.
std::string make_control(wire::Opcode opcode, std::string_view payload);

// Walks a stream of frames in whatever pieces it comes and keeps nothing of a data frame's payload.
class FrameReader {
 public:
  // Calls on_frame(header, payload) at the end of each frame; payload is of control frames only.
  template <class OnFrame>
  void feed(std::span<const char> bytes, OnFrame&& on_frame) {
    while (!bytes.empty()) {
      if (!in_payload_) {
        begin(bytes);
      } else {
        skip(bytes);
      }
      if (in_payload_ && rest_ == 0) {
        in_payload_ = false;
        on_frame(header_, std::string_view(control_.data(), control_size_));
      }
    }
  }

 private:
  // Takes one byte of a header, or all of it when nothing was taken before.
  void begin(std::span<const char>& bytes) {
    std::size_t size = head_size_ == 0 ? wire::decode_header(bytes, header_) : 0;
    if (size == 0) {
      head_[head_size_++] = bytes[0];
      bytes = bytes.subspan(1);
      size = wire::decode_header({head_.data(), head_size_}, header_);
    } else {
      bytes = bytes.subspan(size);
    }
    if (size == 0) return;
    in_payload_ = true;
    head_size_ = 0;
    control_size_ = 0;
    rest_ = header_.length;
  }

  void skip(std::span<const char>& bytes) {
    auto n = static_cast<std::size_t>(std::min<std::uint64_t>(rest_, bytes.size()));
    if (header_.opcode >= 8) {
      std::size_t kept = std::min(n, control_.size() - control_size_);
      std::memcpy(control_.data() + control_size_, bytes.data(), kept);
      control_size_ += kept;
    }
    bytes = bytes.subspan(n);
    rest_ -= n;
  }

  wire::FrameHeader header_;
  std::array<char, wire::kMaxFrameHeader> head_{};
  std::array<char, wire::kMaxControlPayload> control_{};
  std::size_t head_size_ = 0;
  std::size_t control_size_ = 0;
  std::uint64_t rest_ = 0;
  bool in_payload_ = false;
};

}  // namespace fairlead::bench
