#include "tls/post_handshake.h"

#include <algorithm>

namespace fairlead::tls {

namespace {

constexpr std::uint8_t kHeader = 4;
constexpr std::uint32_t kTicket = 4;
constexpr std::uint32_t kKeyUpdate = 24;
// RFC 8446 4.6.1: every field at its largest.
constexpr std::uint32_t kMaxTicket = 4 + 4 + (1 + 255) + (2 + 65535) + (2 + 65534);

}  // namespace

// none: the body may come.
PostHandshake::Event PostHandshake::judge_header() {
  const std::uint32_t type = header_ >> 24U;
  left_ = header_ & 0xffffffU;
  if (type == kKeyUpdate) return left_ == 1 ? Event::none : Event::undecodable;
  if (type != kTicket) return Event::unexpected;
  return left_ > 0 && left_ <= kMaxTicket ? Event::none : Event::undecodable;
}

PostHandshake::Event PostHandshake::take(std::span<const char>& content) {
  while (!content.empty()) {
    if (have_ < kHeader) {
      header_ = header_ << 8U | static_cast<std::uint8_t>(content.front());
      content = content.subspan(1);
      if (++have_ < kHeader) continue;
      const Event refused = judge_header();
      if (refused != Event::none) return refused;
      continue;
    }
    const auto first = static_cast<std::uint8_t>(content.front());
    const std::size_t part = std::min<std::size_t>(left_, content.size());
    content = content.subspan(part);
    left_ -= static_cast<std::uint32_t>(part);
    if (left_ > 0) continue;
    have_ = 0;
    if (header_ >> 24U == kTicket) return Event::ticket;
    if (first > 1) return Event::illegal;
    return first == 1 ? Event::update_and_answer : Event::update;
  }
  return Event::none;
}

}  // namespace fairlead::tls
