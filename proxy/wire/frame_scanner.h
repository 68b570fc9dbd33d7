#pragma once
// Walks the frames of one direction of a WebSocket session in place, checks every rule of RFC 6455 5 and 7
// and the size limits, and says how many bytes may pass. It copies nothing, keeps no payload, allocates nothing.
//
// A frame header and a whole control frame pass only when they are complete: scan() leaves an incomplete one
// unconsumed (at most kMaxControlFrame - 1 bytes), and the caller gives it again, in front of what comes next. So
// between two calls, unless mid_frame(), a frame of our own may be put into the stream.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "proxy/wire/frame.h"

namespace fairlead::wire {

// What a direction must obey; one value per route and direction, shared by its sessions.
struct ScanRules {
  bool masked = false;          // client to backend: every frame is; backend to client: none (RFC 6455 5.1)
  bool strict = true;           // false: only what would make the stream unreadable is refused, and the limits
  std::uint64_t max_frame = UINT64_MAX;    // payload bytes
  std::uint64_t max_message = UINT64_MAX;  // payload bytes over a message's fragments
};

// What the handshake's extensions claim (see Agreed).
struct ScanExtensions {
  bool deflate = false;  // RSV1 on the first frame of a data message
  bool unknown = false;  // anything in RSV bits and reserved opcodes
};

enum class Violation : std::uint8_t {
  none,
  reserved_bits,
  unknown_opcode,
  control_too_long,
  control_fragmented,
  wrong_masking,
  bad_continuation,      // nothing to continue, or a new message within an unfinished one
  length_not_minimal,
  length_too_large,      // top bit of a 64-bit length: refused even when not strict
  bad_close_payload,     // one byte, or a code that may not be on the wire
  close_reason_not_utf8, // 1007
  frame_too_big,         // 1009
  message_too_big,       // 1009
};

// 1002, 1007 or 1009 (RFC 6455 7.4.1).
std::uint16_t close_code(Violation violation);
std::string_view word(Violation violation);  // for logs: "reserved_bits"

// Totals of a direction since the session began.
struct ScanCounters {
  std::uint64_t messages = 0;  // data messages begun
  std::uint64_t bytes = 0;     // payload bytes of data frames
};

struct ScanResult {
  enum class Event : std::uint8_t {
    none,       // everything that could be consumed was
    ping,       // a whole Ping, Pong or Close stands after `pass`; it has been checked
    pong,
    close,
    message_limit,  // the next data message would be one more than allowed by `messages_left`: it was not consumed
    violation,  // nothing after `pass` may be forwarded
  };
  Event event = Event::none;
  std::size_t pass = 0;   // bytes from the start of the input that are to be forwarded
  std::size_t frame = 0;  // ping, pong, close: size of the frame that follows `pass`. The caller forwards or drops it
                          // and goes on scanning behind it
  FrameHeader header;     // ... its header
  Violation violation = Violation::none;
};

class FrameScanner {
 public:
  // Scans `in`, beginning where the last call stopped consuming (pass + frame). `messages_left` bounds how many data
  // messages may begin. With event none the unconsumed tail, in.size() - pass, is an incomplete header or control frame.
  ScanResult scan(std::span<const char> in, const ScanRules& rules, ScanExtensions extensions, ScanCounters& counters,
                  std::uint64_t messages_left = UINT64_MAX);

  bool mid_frame() const { return remaining_ != 0; }      // nothing may be injected
  bool mid_message() const { return in_message_; }        // between the fragments of a data message
  std::uint64_t frame_remaining() const { return remaining_; }
  // The caller moves `n` payload bytes of the current frame past the scanner (n <= frame_remaining()).
  void skip(std::uint64_t n, ScanCounters& counters);

 private:
  std::uint64_t remaining_ = 0;  // payload bytes of the current data frame still to come
  std::uint64_t message_ = 0;    // payload bytes of the current message so far, this frame's included
  bool in_message_ = false;      // a fragmented message is open
  bool closed_ = false;
};

}  // namespace fairlead::wire
