#pragma once
// The character classes of HTTP (RFC 9110 5.5, 5.6), by table and without a locale.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fairlead::wire {

namespace chars {

enum Class : std::uint8_t { kToken = 1, kText = 2, kVisible = 4, kDigit = 8, kAlpha = 16 };

constexpr std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    unsigned bits = 0;
    if (digit) bits |= kDigit;
    if (alpha) bits |= kAlpha;
    if (digit || alpha) bits |= kToken;
    if (c > 0x20 && c < 0x7f) bits |= kVisible;
    if ((c >= 0x20 && c != 0x7f) || c == '\t') bits |= kText;  // obs-text, 0x80 and up, included
    table[c] = static_cast<std::uint8_t>(bits);
  }
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    table[static_cast<unsigned char>(c)] |= kToken;
  }
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kTable = make_table();

constexpr std::uint64_t repeat(std::uint8_t byte) {
  return byte * 0x0101010101010101ULL;
}

// Whether one of eight bytes may be no text: below 0x20, HTAB included, or DEL. Exact but for HTAB.
inline bool has_control(const char* eight) {
  std::uint64_t x = 0;
  std::memcpy(&x, eight, sizeof x);
  const std::uint64_t del = x ^ repeat(0x7f);
  const std::uint64_t below_space = (x - repeat(0x20)) & ~x;
  const std::uint64_t is_del = (del - repeat(0x01)) & ~del;
  return ((below_space | is_del) & repeat(0x80)) != 0;
}

}  // namespace chars

constexpr bool is_class(char c, unsigned classes) {
  return (chars::kTable[static_cast<unsigned char>(c)] & classes) != 0;
}

constexpr bool is_digit(char c) {
  return is_class(c, chars::kDigit);
}

constexpr bool is_token_char(char c) {
  return is_class(c, chars::kToken);
}

// What a field's value may hold: visible ASCII, space, HTAB, obs-text.
constexpr bool is_text_char(char c) {
  return is_class(c, chars::kText);
}

constexpr bool is_visible_char(char c) {
  return is_class(c, chars::kVisible);
}

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

inline bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

// The first byte in [p, end) that is not text, or end. Looks at eight bytes at a time.
inline const char* skip_text(const char* p, const char* end) {
  while (end - p >= 8) {
    const char* const next = p + 8;
    if (chars::has_control(p)) {
      p = std::find_if_not(p, next, is_text_char);
      if (p != next) return p;  // else it was an HTAB
    }
    p = next;
  }
  return std::find_if_not(p, end, is_text_char);
}

// Most texts are short: what is left over is looked at as eight bytes too, overlapping or padded.
inline bool is_text(std::string_view text) {
  const char* const begin = text.data();
  const std::size_t size = text.size();
  char padded[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
  if (size < 8) std::copy_n(begin, size, padded);
  bool suspect = chars::has_control(size < 8 ? padded : begin + size - 8);
  for (std::size_t i = 0; i + 8 < size && !suspect; i += 8) suspect = chars::has_control(begin + i);
  return !suspect || std::all_of(text.begin(), text.end(), is_text_char);
}

}  // namespace fairlead::wire
