#include "proxy/demo/message.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fairlead::demo {
namespace {

constexpr std::size_t kKeptCapacity = 4096;  // an idle session holds no big message's memory

constexpr std::size_t frame_room(std::size_t payload) {
  return payload + wire::kMaxFrameHeader;
}

}  // namespace

std::string make_frame(wire::Opcode opcode, std::string_view payload) {
  wire::FrameHeader header;
  header.fin = true;
  header.opcode = static_cast<std::uint8_t>(opcode);
  header.length = payload.size();
  std::array<char, wire::kMaxFrameHeader> bytes{};
  const std::size_t size = wire::encode_header(header, bytes);
  std::string frame;
  frame.reserve(frame_room(payload.size()));
  frame.append(bytes.data(), size).append(payload);
  return frame;
}

MessageReader::MessageReader(std::size_t max_message)
    : rules_{.masked = true, .strict = true, .max_frame = max_message, .max_message = max_message} {
}

// One message at most may begin in a scan, and none while one is open: so a scan's bytes hold the
// end of one message at most, perhaps with a control frame behind it.
Item MessageReader::next(std::span<char>& in) {
  if (pending_.kind != Item::Kind::none) return std::exchange(pending_, {});
  if (!open_) {
    message_.clear();
    if (message_.capacity() > kKeptCapacity) message_.shrink_to_fit();
  }
  const wire::ScanResult result = scanner_.scan(in, rules_, {}, counters_, open_ ? 0 : 1);
  take(in.first(result.pass));
  in = in.subspan(result.pass);
  const Item item = control(result, in.first(result.frame));
  in = in.subspan(result.frame);
  if (!complete_) return item;
  // A violation was not consumed and is found again.
  if (item.kind != Item::Kind::violation) pending_ = item;
  return message();
}

// Data frames that the scanner has passed, the first and the last perhaps in part.
void MessageReader::take(std::span<char> passed) {
  while (!passed.empty()) {
    if (remaining_ == 0) {
      wire::FrameHeader header;
      passed = passed.subspan(wire::decode_header(passed, header));
      begin(header);
    }
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, passed.size()));
    const auto part = passed.first(n);
    wire::apply_mask(part, header_.mask, header_.length - remaining_);
    message_.append(part.data(), n);
    passed = passed.subspan(n);
    remaining_ -= n;
    complete_ = remaining_ == 0 && header_.fin;
  }
}

void MessageReader::begin(const wire::FrameHeader& header) {
  header_ = header;
  remaining_ = header.length;
  const auto opcode = static_cast<wire::Opcode>(header.opcode);
  if (opcode != wire::Opcode::continuation) opcode_ = opcode;
  open_ = true;
}

Item MessageReader::message() {
  open_ = complete_ = false;
  if (opcode_ == wire::Opcode::text && !wire::is_utf8(message_)) {  // RFC 6455 8.1
    return {.kind = Item::Kind::violation, .code = 1007, .payload = "text is not UTF-8"};
  }
  return {.kind = Item::Kind::message, .opcode = opcode_, .payload = message_};
}

Item MessageReader::control(const wire::ScanResult& result, std::span<const char> frame) {
  using Event = wire::ScanResult::Event;
  if (result.frame != 0) control_ = wire::control_payload(result.header, frame);
  const std::string_view payload = control_.view();
  switch (result.event) {
    case Event::ping:
      return {.kind = Item::Kind::ping, .payload = payload};
    case Event::pong:
      return {.kind = Item::Kind::pong, .payload = payload};
    case Event::close:
      return {.kind = Item::Kind::close, .code = wire::parse_close(payload).code};
    case Event::violation:
      return {.kind = Item::Kind::violation,
              .code = wire::close_code(result.violation),
              .payload = wire::word(result.violation)};
    case Event::none:
    case Event::empty:
    case Event::message_limit:
      break;
  }
  return {};
}

}  // namespace fairlead::demo
