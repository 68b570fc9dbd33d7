#include "proxy/wire/frame_scanner.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace fairlead::wire {
namespace {

using Event = ScanResult::Event;

constexpr unsigned kContinuation = static_cast<unsigned>(Opcode::continuation);
constexpr unsigned kText = static_cast<unsigned>(Opcode::text);
constexpr unsigned kBinary = static_cast<unsigned>(Opcode::binary);
constexpr unsigned kWholeBinary = 0x80 | kBinary;  // FIN: a message of one frame
constexpr unsigned kPong = static_cast<unsigned>(Opcode::pong);
constexpr unsigned kFirstControl = 8;  // RFC 6455 5.5: the top bit of the opcode

unsigned byte(char c) {
  return static_cast<unsigned char>(c);
}

bool is_control(unsigned opcode) {
  return opcode >= kFirstControl;
}

bool is_reserved(unsigned opcode) {
  return (opcode > kBinary && opcode < kFirstControl) || opcode > kPong;
}

// Every control frame, but for a lenient one that is too big for that and passes as data.
bool passes_whole(const FrameHeader& header) {
  return is_control(header.opcode) && header.length <= kMaxControlPayload &&
         header.size + header.length <= kMaxControlFrame;
}

// What the RSV bits of a frame may be (RFC 6455 5.2, RFC 7692 6.1: only a message's first frame).
unsigned allowed_rsv(unsigned opcode, ScanExtensions extensions) {
  if (extensions.unknown) return 7;
  const bool begins_message = opcode != kContinuation && !is_control(opcode);
  return extensions.deflate && begins_message ? 4 : 0;
}

Event event_of(unsigned opcode) {
  switch (opcode) {
    case static_cast<unsigned>(Opcode::close):
      return Event::close;
    case static_cast<unsigned>(Opcode::ping):
      return Event::ping;
    case static_cast<unsigned>(Opcode::pong):
      return Event::pong;
    default:
      return Event::none;
  }
}

// RFC 6455 5.5.1 and 7.4: nothing, or a code and a reason in UTF-8.
Violation check_close(const FrameHeader& header, std::span<const char> frame) {
  if (header.length == 0) return Violation::none;
  const ControlPayload payload = control_payload(header, frame);
  const CloseView close = parse_close(payload.view());
  if (!is_close_code_on_wire(close.code)) return Violation::bad_close_payload;
  return is_utf8(close.reason) ? Violation::none : Violation::close_reason_not_utf8;
}

}  // namespace

struct FrameScanner::Walk {
  const std::span<const char> in;
  const ScanRules& rules;
  const ScanExtensions extensions;
  ScanCounters& counters;
  std::uint64_t messages_left;
  ScanResult result;

  std::span<const char> rest() const { return in.subspan(result.pass); }

  bool stop(Event event) {
    result.event = event;
    return false;
  }

  bool refuse(Violation violation) {
    result.violation = violation;
    return stop(Event::violation);
  }
};

ScanResult FrameScanner::scan(std::span<const char> in, const ScanRules& rules,
                              ScanExtensions extensions, ScanCounters& counters,
                              std::uint64_t messages_left) {
  Walk walk{in, rules, extensions, counters, messages_left, {}};
  if (closed_) return walk.result;
  walk.result.pass = pass_payload(in.size(), counters);
  if (mid_frame()) return walk.result;
  do {
    if (!in_message_) pass_small_messages(walk);
  } while (pass_frame(walk));
  return walk.result;
}

void FrameScanner::skip(std::uint64_t n, ScanCounters& counters) {
  assert(n <= remaining_);
  remaining_ -= n;
  counters.bytes += n;
}

std::size_t FrameScanner::pass_payload(std::size_t available, ScanCounters& counters) {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, available));
  skip(n, counters);
  return n;
}

// The fast path, for what most sessions send: whole messages of one frame of at most 125 bytes with
// nothing wrong. It stops in front of anything else, and pass_frame() looks at that closely.
// No message is open.
inline void FrameScanner::pass_small_messages(Walk& walk) {
  const ScanRules& rules = walk.rules;
  const unsigned unclaimed = 0xFFU & ~(allowed_rsv(kBinary, walk.extensions) << 4);
  const unsigned mask_bit = rules.masked ? 0x80 : 0;
  const std::size_t head = rules.masked ? 6 : 2;
  const std::uint64_t limit =
      std::min<std::uint64_t>(kMaxControlPayload, std::min(rules.max_frame, rules.max_message));

  const auto in = walk.rest();
  std::uint64_t messages = 0;
  std::uint64_t firsts = 0;  // first bytes added up: those of text are less by one
  std::size_t at = 0;
  while (in.size() - at >= head && messages < walk.messages_left) {
    const unsigned first = byte(in[at]) & unclaimed;
    const std::size_t length = byte(in[at + 1]) ^ mask_bit;  // a wrong mask bit makes it too big
    const bool whole_message = first - 0x81 <= 1;            // FIN, and text or binary
    if (!whole_message || length > limit || in.size() - at - head < length) break;
    at += head + length;
    ++messages;
    firsts += first;
  }
  walk.result.pass += at;
  walk.messages_left -= messages;
  walk.counters.messages += messages;
  walk.counters.bytes += at - messages * head;
  walk.counters.texts += static_cast<std::uint32_t>(messages * kWholeBinary - firsts);
}

// One frame of any kind. False: the call ends here, because of an event or for want of bytes.
bool FrameScanner::pass_frame(Walk& walk) {
  const auto rest = walk.rest();
  if (rest.size() < 2) return false;
  if (walk.rules.strict) {
    const Violation violation = check_start(byte(rest[0]), byte(rest[1]), walk);
    if (violation != Violation::none) return walk.refuse(violation);
  }
  FrameHeader header;
  if (decode_header(rest, header) == 0) return false;
  const Violation violation = check_length(header, walk.rules);
  if (violation != Violation::none) return walk.refuse(violation);

  return passes_whole(header) ? pass_control(walk, header) : pass_data(walk, header);
}

bool FrameScanner::pass_control(Walk& walk, const FrameHeader& header) {
  const std::size_t size = header.size + static_cast<std::size_t>(header.length);
  if (walk.rest().size() < size) return false;
  const Event event = event_of(header.opcode);
  if (event == Event::none) {
    walk.result.pass += size;
    return true;
  }
  if (event == Event::close) {
    if (walk.rules.strict) {
      const Violation violation = check_close(header, walk.rest().first(size));
      if (violation != Violation::none) return walk.refuse(violation);
    }
    closed_ = true;
  }
  walk.result.frame = size;
  walk.result.header = header;
  return walk.stop(event);
}

bool FrameScanner::pass_data(Walk& walk, const FrameHeader& header) {
  const bool continues = header.opcode == kContinuation && in_message_;
  const bool counted = header.opcode <= kBinary && !continues;
  if (counted) {
    if (walk.messages_left == 0) return walk.stop(Event::message_limit);
    --walk.messages_left;
    ++walk.counters.messages;
    if (header.opcode == kText) ++walk.counters.texts;
  } else if (continues) {
    if (header.length == 0 && !header.fin && walk.rules.show_empty) {
      walk.result.frame = header.size;
      walk.result.header = header;
      return walk.stop(Event::empty);
    }
    ++walk.counters.continuations;
  }
  // Reserved frames within a message, and oversized control frames, leave the message as it is.
  if (header.opcode <= kBinary || (!is_control(header.opcode) && !in_message_)) {
    message_ = header.length + (continues ? message_ : 0);
    in_message_ = !header.fin;
  }
  remaining_ = header.length;
  walk.result.pass += header.size;
  walk.result.pass += pass_payload(walk.rest().size(), walk.counters);
  return !mid_frame();
}

// The rules that a frame's first two bytes can break (RFC 6455 5.1, 5.2, 5.4, 5.5).
Violation FrameScanner::check_start(unsigned first, unsigned second, const Walk& walk) const {
  const unsigned opcode = first & 15;
  const bool fin = (first & 0x80) != 0;
  if ((first >> 4 & 7 & ~allowed_rsv(opcode, walk.extensions)) != 0)
    return Violation::reserved_bits;
  if (is_reserved(opcode) && !walk.extensions.unknown) return Violation::unknown_opcode;
  if (((second & 0x80) != 0) != walk.rules.masked) return Violation::wrong_masking;
  if (is_control(opcode)) {
    if (!fin) return Violation::control_fragmented;
    return (second & 0x7F) > kMaxControlPayload ? Violation::control_too_long : Violation::none;
  }
  if (is_reserved(opcode)) return Violation::none;
  // A continuation exactly when a message is open.
  return (opcode == kContinuation) == in_message_ ? Violation::none : Violation::bad_continuation;
}

// The rules on a frame's length, when its header is complete.
Violation FrameScanner::check_length(const FrameHeader& header, const ScanRules& rules) const {
  if (header.length >> 63 != 0) return Violation::length_too_large;
  if (rules.strict && !header.minimal) return Violation::length_not_minimal;
  if (passes_whole(header)) return Violation::none;
  if (header.length > rules.max_frame) return Violation::frame_too_big;
  const bool continues = header.opcode == kContinuation && in_message_;
  const std::uint64_t before = continues ? std::min(message_, rules.max_message) : 0;
  return header.length > rules.max_message - before ? Violation::message_too_big : Violation::none;
}

std::uint16_t close_code(Violation violation) {
  switch (violation) {
    case Violation::close_reason_not_utf8:
      return 1007;
    case Violation::frame_too_big:
    case Violation::message_too_big:
      return 1009;
    case Violation::none:
    case Violation::reserved_bits:
    case Violation::unknown_opcode:
    case Violation::control_too_long:
    case Violation::control_fragmented:
    case Violation::wrong_masking:
    case Violation::bad_continuation:
    case Violation::length_not_minimal:
    case Violation::length_too_large:
    case Violation::bad_close_payload:
      return 1002;
  }
  return 1002;
}

std::string_view word(Violation violation) {
  // In the enum's order.
  static constexpr std::array<std::string_view, 13> kWords{"none",
                                                           "reserved_bits",
                                                           "unknown_opcode",
                                                           "control_too_long",
                                                           "control_fragmented",
                                                           "wrong_masking",
                                                           "bad_continuation",
                                                           "length_not_minimal",
                                                           "length_too_large",
                                                           "bad_close_payload",
                                                           "close_reason_not_utf8",
                                                           "frame_too_big",
                                                           "message_too_big"};
  static_assert(kWords.size() == static_cast<std::size_t>(Violation::message_too_big) + 1);
  return kWords[static_cast<std::size_t>(violation)];
}

}  // namespace fairlead::wire
