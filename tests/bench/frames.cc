#include "tests/bench/frames.h"

namespace fairlead::bench {

std::string make_message(std::size_t size, Side side) {
  wire::FrameHeader header;
  header.fin = true;
  header.opcode = 2;
  header.masked = side == Side::client;
  header.mask = {1, 2, 3, 4};
  header.length = size;
  char head[wire::kMaxFrameHeader];
  std::string message(head, wire::encode_header(header, head));
  message.append(size, 'x');
  return message;
}

std::string make_control(wire::Opcode opcode, std::string_view payload) {
  wire::ControlFrame frame = wire::make_control(opcode, payload, {true, {1, 2, 3, 4}});
  return {frame.bytes.data(), frame.size};
}

}  // namespace fairlead::bench
