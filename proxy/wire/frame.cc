#include "proxy/wire/frame.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace fairlead::wire {
namespace {

constexpr std::size_t kMaxReason = kMaxControlPayload - 2;

unsigned byte(char c) {
  return static_cast<unsigned char>(c);
}

// The width is a constant, for a compiler to make it one load and a swap.
template <std::size_t size>
std::uint64_t read_big_endian(std::span<const char, size> in) {
  std::uint64_t value = 0;
  for (char c : in) value = value << 8 | byte(c);
  return value;
}

void write_big_endian(std::uint64_t value, std::span<char> out) {
  for (std::size_t i = out.size(); i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xFF);
}

// RFC 6455 5.2: the second byte's low seven bits, and how many bytes of length follow it.
std::size_t length_bytes(unsigned code) {
  return code < 126 ? 0 : code == 126 ? 2 : 8;
}

std::uint64_t read_length(std::span<const char> in, unsigned code) {
  if (code < 126) return code;
  return code == 126 ? read_big_endian(in.subspan<2, 2>()) : read_big_endian(in.subspan<2, 8>());
}

unsigned length_code(std::uint64_t length) {
  if (length < 126) return static_cast<unsigned>(length);
  return length <= 0xFFFF ? 126 : 127;
}

}  // namespace

std::size_t decode_header(std::span<const char> in, FrameHeader& out) {
  if (in.size() < 2) return 0;
  const unsigned first = byte(in[0]);
  const unsigned second = byte(in[1]);
  const unsigned code = second & 0x7F;
  const bool masked = (second & 0x80) != 0;
  const std::size_t size = 2 + length_bytes(code) + (masked ? 4 : 0);
  if (in.size() < size) return 0;

  out.fin = (first & 0x80) != 0;
  out.rsv = static_cast<std::uint8_t>(first >> 4 & 7);
  out.opcode = static_cast<std::uint8_t>(first & 15);
  out.masked = masked;
  out.length = read_length(in, code);
  out.mask = {};
  if (masked) std::memcpy(out.mask.data(), in.data() + size - 4, 4);
  out.size = size;
  out.minimal = length_code(out.length) == code;
  return size;
}

std::size_t encode_header(const FrameHeader& header, std::span<char> out) {
  assert(out.size() >= kMaxFrameHeader);
  const unsigned code = length_code(header.length);
  const std::size_t extra = length_bytes(code);
  out[0] =
      static_cast<char>((header.fin ? 0x80U : 0U) | (header.rsv & 7U) << 4 | (header.opcode & 15U));
  out[1] = static_cast<char>((header.masked ? 0x80U : 0U) | code);
  write_big_endian(header.length, out.subspan(2, extra));
  if (!header.masked) return 2 + extra;
  std::memcpy(out.data() + 2 + extra, header.mask.data(), 4);
  return 2 + extra + 4;
}

void apply_mask(std::span<char> payload, const std::array<std::uint8_t, 4>& mask,
                std::uint64_t offset) {
  std::array<std::uint8_t, 8> key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = mask[(offset + i) % 4];
  const auto key_word = std::bit_cast<std::uint64_t>(key);

  std::size_t at = 0;
  for (; payload.size() - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, payload.data() + at, 8);
    word ^= key_word;
    std::memcpy(payload.data() + at, &word, 8);
  }
  for (; at < payload.size(); ++at) {
    payload[at] = static_cast<char>(byte(payload[at]) ^ key[at % 8]);
  }
}

ControlFrame make_control(Opcode opcode, std::span<const char> payload, Masking masking) {
  assert(opcode == Opcode::close || opcode == Opcode::ping || opcode == Opcode::pong);
  payload = payload.first(std::min(payload.size(), kMaxControlPayload));
  FrameHeader header;
  header.fin = true;
  header.opcode = static_cast<std::uint8_t>(opcode);
  header.masked = masking.on;
  header.mask = masking.key;
  header.length = payload.size();

  ControlFrame frame;
  const std::size_t head = encode_header(header, frame.bytes);
  frame.size = head + payload.size();
  const auto body = std::span(frame.bytes).subspan(head, payload.size());
  std::copy(payload.begin(), payload.end(), body.begin());
  if (masking.on) apply_mask(body, masking.key);
  return frame;
}

ControlFrame make_close(std::uint16_t code, std::string_view reason, Masking masking) {
  if (code == 0) return make_control(Opcode::close, {}, masking);
  assert(is_close_code_on_wire(code));
  std::size_t size = std::min(reason.size(), kMaxReason);
  // A cut in front of a continuation byte would leave half a character: back to where it begins.
  while (size > 0 && size < reason.size() && (byte(reason[size]) & 0xC0) == 0x80) --size;

  std::array<char, kMaxControlPayload> payload{};
  write_big_endian(code, std::span(payload).first(2));
  std::copy_n(reason.begin(), size, payload.begin() + 2);
  return make_control(Opcode::close, std::span(payload).first(2 + size), masking);
}

ControlPayload control_payload(const FrameHeader& header, std::span<const char> frame) {
  assert(frame.size() >= header.size);
  ControlPayload payload;
  payload.size = std::min(frame.size() - header.size, payload.bytes.size());
  std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(header.size), payload.size,
              payload.bytes.begin());
  if (header.masked) apply_mask(std::span(payload.bytes).first(payload.size), header.mask);
  return payload;
}

CloseView parse_close(std::string_view payload) {
  if (payload.size() < 2) return {};
  return {static_cast<std::uint16_t>(byte(payload[0]) << 8 | byte(payload[1])), payload.substr(2)};
}

bool is_close_code_on_wire(std::uint16_t code) {
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

}  // namespace fairlead::wire
