#pragma once
// Frames for tests, right and wrong ones, written bit by bit and without the codec under test.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::test {

inline constexpr std::string_view kMaskKey = "\x37\xfa\x21\x3d";  // RFC 6455 5.7's

struct Make {
  unsigned opcode = 2;
  std::string payload = {};
  bool masked = false;
  bool fin = true;
  unsigned rsv = 0;           // RSV1 is 4
  unsigned length_bytes = 0;  // 0: the shortest form; 2, 8: that many bytes behind the second one
  std::uint64_t claim = 0;    // a length other than the payload's
};

inline std::string masked_text(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(text[i] ^ kMaskKey[i % kMaskKey.size()]);
  }
  return text;
}

inline std::string make(const Make& m) {
  const std::uint64_t length = m.claim != 0 ? m.claim : m.payload.size();
  const unsigned shortest = length > 65535 ? 8 : length > 125 ? 2 : 0;
  const unsigned extra = m.length_bytes != 0 ? m.length_bytes : shortest;
  const std::uint64_t length7 = extra == 8 ? 127 : extra == 2 ? 126 : length;

  std::string out;
  out += static_cast<char>((m.fin ? 128U : 0U) + m.rsv * 16 + m.opcode);
  out += static_cast<char>((m.masked ? 128U : 0U) + length7);
  for (unsigned i = extra; i-- > 0;) out += static_cast<char>(length >> (8 * i) & 255);
  if (m.masked) out += kMaskKey;
  return out + (m.masked ? masked_text(m.payload) : m.payload);
}

// Frames one after the other, the other way round if `masked`: `Make::masked` then says that a
// frame is masked where it must not be, or the reverse.
inline std::string make_stream(std::vector<Make> frames, bool masked = false) {
  std::string out;
  for (Make& m : frames) {
    m.masked = m.masked != masked;
    out += make(m);
  }
  return out;
}

}  // namespace fairlead::test
