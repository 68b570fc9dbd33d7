// UTF-8 as RFC 3629 4 writes its grammar; declared in frame.h.

#include <cstdint>
#include <cstring>

#include "proxy/wire/frame.h"
#include "proxy/wire/utf8_sequence.h"

namespace fairlead::wire {
namespace {

unsigned byte(char c) {
  return static_cast<unsigned char>(c);
}

// How many bytes a sequence has, and what its second byte may be: that rules out overlong forms
// (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4).
struct Lead {
  std::size_t size;
  unsigned low = 0x80;
  unsigned high = 0xBF;
};

Lead lead(unsigned first) {
  if (first < 0x80) return {1};
  if (first < 0xC2) return {0};  // a continuation byte, or an overlong form of ASCII
  if (first < 0xE0) return {2};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (first < 0xF0) return {3};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  if (first < 0xF4) return {4};
  if (first == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

bool eight_ascii(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return (word & 0x8080808080808080U) == 0;
}

}  // namespace

std::size_t utf8_sequence(std::string_view text) {
  const Lead want = lead(byte(text[0]));
  if (want.size == 0 || text.size() < want.size) return 0;
  if (want.size == 1) return 1;
  if (byte(text[1]) < want.low || byte(text[1]) > want.high) return 0;
  for (std::size_t i = 2; i < want.size; ++i) {
    if ((byte(text[i]) & 0xC0) != 0x80) return 0;
  }
  return want.size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    std::size_t size = text.size() >= 8 && eight_ascii(text.data()) ? 8 : utf8_sequence(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace fairlead::wire
