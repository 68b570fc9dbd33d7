#pragma once
// The rules of RFC 6455 5 and of frame_scanner.h once more, for a whole stream in memory: slow,
// plain, and sharing no code with the scanner it is compared with.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/scan_driver.h"

namespace fairlead::test {

struct NaiveScan {
  struct Extent {
    std::size_t payload;
    std::size_t end;
  };

  Trace trace;
  std::vector<Extent> data_frames;  // whose payload may be cut: the stream may end within the last

  // What frame_remaining() must be when `position` bytes were forwarded.
  std::uint64_t remaining(std::size_t position) const {
    const auto e = std::partition_point(data_frames.begin(), data_frames.end(),
                                        [=](const Extent& x) { return x.end <= position; });
    return e != data_frames.end() && e->payload <= position ? e->end - position : 0;
  }
};

class NaiveScanner {
 public:
  NaiveScanner(std::string_view stream, const ScanSetup& setup)
      : stream_(stream),
        rules_(setup.rules),
        ext_(setup.extensions),
        budget_(setup.budget),
        allowed_(budget_.messages) {}

  NaiveScan run() {
    while (frame()) {
    }
    out_.trace.forwarded = stream_.substr(0, at_);
    return out_;
  }

 private:
  bool bit(std::size_t n) const { return (stream_[at_ + n / 8] >> (7 - n % 8) & 1) != 0; }

  std::uint64_t bits(std::size_t first, std::size_t count) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value * 2 + (bit(first + i) ? 1 : 0);
    return value;
  }

  bool violation(std::string_view word) {
    out_.trace.events.push_back(event_text(word, at_, 0));
    return false;
  }

  const char* bad_start() const {
    const auto opcode = bits(4, 4);
    const bool first_of_message = opcode != 0 && opcode < 8;
    const bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
    if (!ext_.unknown) {
      if (bit(1) && !(ext_.deflate && first_of_message)) return "reserved_bits";
      if (bit(2) || bit(3)) return "reserved_bits";
      if (!known) return "unknown_opcode";
    }
    if (bit(8) != rules_.masked) return "wrong_masking";
    if (opcode >= 8 && !bit(0)) return "control_fragmented";
    if (opcode >= 8 && bits(9, 7) > 125) return "control_too_long";
    if (opcode == 0 && !open_) return "bad_continuation";
    if ((opcode == 1 || opcode == 2) && open_) return "bad_continuation";
    return nullptr;
  }

  bool frame() {
    if (stream_.size() - at_ < 2) return false;
    if (rules_.strict) {
      if (const char* word = bad_start()) return violation(word);
    }
    const auto length7 = bits(9, 7);
    const std::size_t length_at = length7 < 126 ? 9 : 16;
    const std::size_t length_size = length7 < 126 ? 7 : length7 == 126 ? 16 : 64;
    const std::size_t mask_at = (length_at + length_size) / 8;
    const std::size_t header = mask_at + (bit(8) ? 4 : 0);
    if (stream_.size() - at_ < header) return false;
    const auto length = bits(length_at, length_size);
    const bool minimal = (length7 != 126 || length > 125) && (length7 != 127 || length > 65535);
    if (length >= 1ULL << 63) return violation("length_too_large");
    if (rules_.strict && !minimal) return violation("length_not_minimal");
    if (bits(4, 4) >= 8 && length <= 125 && header + length <= 131) {
      return control(mask_at, header, static_cast<std::size_t>(length));
    }
    return data(header, length);
  }

  bool control(std::size_t mask_at, std::size_t header, std::size_t length) {
    const auto opcode = bits(4, 4);
    const std::size_t size = header + length;
    if (stream_.size() - at_ < size) return false;
    if (opcode == 8 && rules_.strict && length > 0) {
      std::string text(stream_.substr(at_ + header, length));
      for (std::size_t i = 0; bit(8) && i < length; ++i) {
        text[i] = static_cast<char>(text[i] ^ stream_[at_ + mask_at + i % 4]);
      }
      if (const char* word = bad_close(text)) return violation(word);
    }
    static constexpr std::string_view kNames[] = {"close", "ping", "pong"};
    if (opcode <= 10) out_.trace.events.push_back(event_text(kNames[opcode - 8], at_, size));
    at_ += size;
    return opcode != 8;
  }

  static const char* bad_close(std::string_view text) {
    if (text.size() == 1) return "bad_close_payload";
    const int code = (text[0] & 255) * 256 + (text[1] & 255);
    const bool reserved = code == 1004 || code == 1005 || code == 1006;
    const bool legal =
        (code >= 1000 && code <= 1014 && !reserved) || (code / 1000 >= 3 && code < 5000);
    if (!legal) return "bad_close_payload";
    return wire::is_utf8(text.substr(2)) ? nullptr : "close_reason_not_utf8";
  }

  bool data(std::size_t header, std::uint64_t length) {
    const auto opcode = bits(4, 4);
    const bool message_frame = opcode <= 2;
    const bool continues = opcode == 0 && open_;
    if (length > rules_.max_frame) return violation("frame_too_big");
    const std::uint64_t before = continues ? message_ : 0;
    const std::uint64_t total = before + length < before ? UINT64_MAX : before + length;
    if (total > rules_.max_message) return violation("message_too_big");
    if (message_frame && !continues) {
      if (out_.trace.messages == allowed_) {
        out_.trace.events.push_back(event_text("limit", at_, 0));
        allowed_ += budget_.refill;
        return budget_.refill != 0;
      }
      ++out_.trace.messages;
      if (opcode == 1) ++out_.trace.texts;
    }
    if (continues) ++out_.trace.continuations;
    if (message_frame || (opcode < 8 && !open_)) {
      open_ = !bit(0);
      message_ = total;
    }
    const std::size_t there = stream_.size() - at_ - header;
    const std::size_t passes = static_cast<std::size_t>(std::min<std::uint64_t>(there, length));
    out_.data_frames.push_back({at_ + header, at_ + header + static_cast<std::size_t>(length)});
    out_.trace.bytes += passes;
    at_ += header + passes;
    return passes == length;
  }

  const std::string_view stream_;
  const wire::ScanRules rules_;
  const wire::ScanExtensions ext_;
  const Budget budget_;
  std::uint64_t allowed_;
  std::size_t at_ = 0;
  bool open_ = false;
  std::uint64_t message_ = 0;
  NaiveScan out_;
};

inline NaiveScan naive_scan(std::string_view stream, const ScanSetup& setup) {
  return NaiveScanner(stream, setup).run();
}

}  // namespace fairlead::test
