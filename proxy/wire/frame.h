#pragma once
// WebSocket frames as values (RFC 6455 5): header codec, opcodes, close codes, building of control
// frames.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fairlead::wire {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

constexpr std::size_t kMaxControlPayload = 125;  // RFC 6455 5.5
constexpr std::size_t kMaxFrameHeader = 14;      // 2 + 8 + 4
constexpr std::size_t kMaxControlFrame = 2 + 4 + kMaxControlPayload;

struct FrameHeader {
  bool fin = false;
  std::uint8_t rsv = 0;  // RSV1 is 4, RSV2 is 2, RSV3 is 1
  std::uint8_t opcode = 0;
  bool masked = false;
  std::uint64_t length = 0;
  std::array<std::uint8_t, 4> mask{};
  std::size_t size = 0;  // bytes the header itself takes
  bool minimal = true;   // the length was written in its shortest form (RFC 6455 5.2)
};

// Decodes the header at the start of `in`. Returns 0 when more bytes are needed, else header.size.
// A 64-bit length with its top bit set is decoded as it is: the scanner refuses it.
std::size_t decode_header(std::span<const char> in, FrameHeader& out);
// Writes a header (minimal length form) to `out`, which has room for kMaxFrameHeader; returns its
// size.
std::size_t encode_header(const FrameHeader& header, std::span<char> out);

// XORs in place; `offset` is where in the payload the span begins (RFC 6455 5.3).
void apply_mask(std::span<char> payload, const std::array<std::uint8_t, 4>& mask,
                std::uint64_t offset = 0);

// A control frame ready to send.
struct ControlFrame {
  std::array<char, kMaxControlFrame> bytes{};
  std::size_t size = 0;

  std::span<const char> span() const { return {bytes.data(), size}; }
};

// How a frame is addressed: to a client unmasked, to a server masked with this key (RFC 6455 5.1).
struct Masking {
  bool on = false;
  std::array<std::uint8_t, 4> key{};
};

// `payload` is cut at 125 bytes.
ControlFrame make_control(Opcode opcode, std::span<const char> payload, Masking masking);
// A Close with a code and a reason, cut at a UTF-8 boundary to fit; code 0: an empty Close.
ControlFrame make_close(std::uint16_t code, std::string_view reason, Masking masking);

// A control frame's payload, unmasked, in a copy of its own: a relayed frame is never changed.
struct ControlPayload {
  std::array<char, kMaxControlPayload> bytes{};
  std::size_t size = 0;

  std::string_view view() const { return {bytes.data(), size}; }
};

// `frame` is a whole control frame that begins with `header` (ScanResult's ping, pong and close). A
// longer payload is cut at 125 bytes.
ControlPayload control_payload(const FrameHeader& header, std::span<const char> frame);

// What a Close frame's payload says: code 0 when there is none. `reason` points into `payload`.
struct CloseView {
  std::uint16_t code = 0;
  std::string_view reason;
};

CloseView parse_close(std::string_view payload);

// Whether a code may stand in a Close frame: 1000-1003, 1007-1014, 3000-4999 (RFC 6455 7.4;
// 1012-1014 by IANA).
bool is_close_code_on_wire(std::uint16_t code);

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace fairlead::wire
