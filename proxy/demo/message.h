#pragma once
// The frames of a client as messages: checked by the scanner, unmasked, fragments joined. Knows no
// sockets.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxy/wire/frame.h"
#include "proxy/wire/frame_scanner.h"

namespace fairlead::demo {

// A whole unmasked frame.
std::string make_frame(wire::Opcode opcode, std::string_view payload);

struct Item {
  enum class Kind : std::uint8_t {
    none,     // more bytes are needed
    message,  // opcode and payload; text is valid UTF-8
    ping,     // payload
    pong,
    close,      // code (0: none was given)
    violation,  // code to close with, payload says why
  };
  Kind kind = Kind::none;
  wire::Opcode opcode = wire::Opcode::text;
  std::uint16_t code = 0;
  std::string_view payload = {};  // valid until the next call
};

class MessageReader {
 public:
  explicit MessageReader(std::size_t max_message);

  // Takes the next item off the front of `in` (its payloads are unmasked in place). With none, what
  // is left in `in`, fewer than kMaxControlFrame bytes, is to be given again in front of what
  // comes. Call until none; nothing may be read after a close or a violation.
  Item next(std::span<char>& in);

 private:
  void take(std::span<char> passed);
  void begin(const wire::FrameHeader& header);
  Item message();
  Item control(const wire::ScanResult& result, std::span<const char> frame);

  const wire::ScanRules rules_;
  wire::FrameScanner scanner_;
  wire::ScanCounters counters_;

  wire::FrameHeader header_;     // of the data frame that is being taken
  std::uint64_t remaining_ = 0;  // of its payload
  wire::Opcode opcode_ = wire::Opcode::text;
  bool open_ = false;      // a message has begun
  bool complete_ = false;  // and ended, and has not been handed over
  std::string message_;

  Item pending_;  // a control frame that stood right behind a message
  wire::ControlPayload control_;
};

}  // namespace fairlead::demo
