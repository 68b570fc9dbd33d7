#pragma once
// Walks the frames of one direction of a WebSocket session in place, checks every rule of RFC 6455
// 5 and 7 and the size limits, and says how many bytes may pass. It copies nothing, keeps no
// payload, allocates nothing.
//
// A frame header and a whole control frame pass only when they are complete: scan() leaves an
// incomplete one unconsumed (at most kMaxControlFrame - 1 bytes), and the caller gives it again, in
// front of what comes next. So between two calls, unless mid_frame(), a frame of our own may be put
// into the stream.
//
// The answer does not depend on how the stream was cut into calls. A violation is found as soon as
// the bytes that show it are there, changes nothing, and is found again if the same bytes are
// scanned again.
//
// Reserved opcodes, where they pass (an unknown extension, or strict = false):
//  - 3-7 are data but no message of ours: not counted in `messages`, never stopped by
//    `messages_left`. Alone they open a message if FIN is 0, in an open one they change nothing.
//  - 0xB-0xF pass whole, like every control frame, but without an event.
// Lenient (strict = false):
//  - a control frame longer than 125 bytes, or than kMaxControlFrame because its length is not in
//    the shortest form, passes like opcode 3 within a message: as data, without an event.
//  - a continuation of nothing, and a message within a message, begin a message and are counted as
//    one, so that no limit is evaded.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "proxy/wire/frame.h"

namespace fairlead::wire {

// What a direction must obey; one value per route and direction, shared by its sessions.
struct ScanRules {
  bool masked = false;  // client to backend: every frame is; backend to client: none (RFC 6455 5.1)
  // false: only the limits, and what would make the stream unreadable, are refused.
  bool strict = true;
  // Both count payload bytes as they are on the wire: with permessage-deflate, compressed ones.
  // Both refuse a frame at its header, before any byte of it passes. Control frames do not count.
  std::uint64_t max_frame = UINT64_MAX;
  std::uint64_t max_message = UINT64_MAX;  // over a message's fragments
  bool show_empty = false;                 // Event::empty is told
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
  bad_continuation,  // nothing to continue, or a new message within an unfinished one
  length_not_minimal,
  length_too_large,       // top bit of a 64-bit length: refused even when not strict
  bad_close_payload,      // one byte, or a code that may not be on the wire
  close_reason_not_utf8,  // 1007
  frame_too_big,          // 1009
  message_too_big,        // 1009
};

// 1002, 1007 or 1009 (RFC 6455 7.4.1).
std::uint16_t close_code(Violation violation);
std::string_view word(Violation violation);  // for logs: "reserved_bits"

// Totals of a direction since the session began.
struct ScanCounters {
  std::uint64_t messages = 0;  // data messages begun
  std::uint64_t bytes = 0;     // payload bytes of data frames, as they pass
  // Modulo 2^32, for their differences.
  std::uint32_t texts = 0;          // of the messages: text
  std::uint32_t continuations = 0;  // frames that continue a message
};

struct ScanResult {
  enum class Event : std::uint8_t {
    none,  // everything that could be consumed was
    ping,  // a whole Ping, Pong or Close stands after `pass`; it has been checked
    pong,
    close,
    // With show_empty: a continuation without payload that does not end its message stands after
    // `pass`. The caller forwards it, counting it in `continuations`, or has it scanned again.
    empty,
    message_limit,  // a message more than `messages_left` would begin: it was not consumed
    violation,      // nothing after `pass` may be forwarded
  };
  Event event = Event::none;
  std::size_t pass = 0;  // bytes from the start of the input that are to be forwarded
  // Ping, pong, close, empty: size and header of the frame that follows `pass`. The caller forwards
  // or drops it and goes on scanning behind it.
  std::size_t frame = 0;
  FrameHeader header;
  Violation violation = Violation::none;
};

class FrameScanner {
 public:
  // Scans `in`, beginning where the last call stopped consuming (pass + frame). `messages_left`
  // bounds how many data messages may begin. With event none the unconsumed tail, in.size() - pass,
  // is an incomplete header or control frame. A Close ends the direction (RFC 6455 5.5.1): the call
  // that returns it is the last that reads anything. From then on the event is none with pass 0,
  // and the caller discards what it has.
  ScanResult scan(std::span<const char> in, const ScanRules& rules, ScanExtensions extensions,
                  ScanCounters& counters, std::uint64_t messages_left = UINT64_MAX);

  bool mid_frame() const { return remaining_ != 0; }  // nothing may be injected

  bool mid_message() const { return in_message_; }  // between the fragments of a data message

  bool closed() const { return closed_; }  // a Close was returned

  std::uint64_t frame_remaining() const { return remaining_; }

  // The caller moves `n` payload bytes of the current frame past the scanner, by splice(2);
  // n is at most frame_remaining().
  void skip(std::uint64_t n, ScanCounters& counters);

 private:
  struct Walk;  // one call's arguments and its answer so far

  static void pass_small_messages(Walk& walk);
  bool pass_frame(Walk& walk);
  bool pass_control(Walk& walk, const FrameHeader& header);
  bool pass_data(Walk& walk, const FrameHeader& header);
  std::size_t pass_payload(std::size_t available, ScanCounters& counters);
  Violation check_start(unsigned first, unsigned second, const Walk& walk) const;
  Violation check_length(const FrameHeader& header, const ScanRules& rules) const;

  std::uint64_t remaining_ = 0;  // payload bytes of the current data frame still to come
  std::uint64_t message_ = 0;    // payload bytes of the open message so far, this frame's included
  bool in_message_ = false;      // a fragmented message is open
  bool closed_ = false;
};

static_assert(sizeof(FrameScanner) <= 32, "two in every idle session");

}  // namespace fairlead::wire
