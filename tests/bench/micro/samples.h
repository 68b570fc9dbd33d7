#pragma once
// What the micro benches and the counts work on: heads as browsers send them, runs of frames.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "proxy/wire/frame.h"
#include "proxy/wire/head_parser.h"

namespace fairlead::bench {

inline constexpr wire::HeadLimits kHeadLimits{32 * 1024, 128};

inline constexpr std::string_view kSmallHead =
    "GET /chat HTTP/1.1\r\n"
    "Host: chat.example.com\r\n"
    "Connection: Upgrade\r\n"
    "Upgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "\r\n";

inline constexpr std::string_view kBrowserHead =
    "GET /chat/room?id=4711&lang=en HTTP/1.1\r\n"
    "Host: chat.example.com\r\n"
    "Connection: Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36\r\n"
    "Upgrade: websocket\r\n"
    "Origin: https://app.example.com\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08; "
    "theme=dark; consent=1\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "\r\n";

// 100 fields of about 60 bytes.
inline std::string large_head() {
  std::string head = "GET / HTTP/1.1\r\nHost: chat.example.com\r\n";
  for (int i = 1; i < 100; ++i) {
    head += "X-Field-" + std::to_string(i) + ": the value of this field is forty bytes long\r\n";
  }
  return head + "\r\n";
}

struct FrameShape {
  std::size_t payload;
  bool masked;
  wire::Opcode opcode = wire::Opcode::binary;
  bool fin = true;
};

// Appends one frame; its payload is whatever, scanners do not look at it.
inline void append_frame(const FrameShape& shape, std::string& out) {
  wire::FrameHeader header;
  header.fin = shape.fin;
  header.opcode = static_cast<std::uint8_t>(shape.opcode);
  header.masked = shape.masked;
  header.mask = {1, 2, 3, 4};
  header.length = shape.payload;
  std::array<char, wire::kMaxFrameHeader> bytes{};
  out.append(bytes.data(), wire::encode_header(header, bytes));
  out.append(shape.payload, 'x');
}

inline std::string frames(const FrameShape& shape, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) append_frame(shape, out);
  return out;
}

// Messages of four fragments each.
inline std::string fragmented(std::size_t payload, bool masked, std::size_t messages) {
  std::string out;
  for (std::size_t i = 0; i < messages; ++i) {
    append_frame({payload, masked, wire::Opcode::text, false}, out);
    append_frame({payload, masked, wire::Opcode::continuation, false}, out);
    append_frame({payload, masked, wire::Opcode::continuation, false}, out);
    append_frame({payload, masked, wire::Opcode::continuation, true}, out);
  }
  return out;
}

}  // namespace fairlead::bench
