#include "proxy/wire/visible_text.h"

#include <array>

#include "proxy/wire/utf8_sequence.h"

namespace fairlead::wire {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array kHidden{
    Range{0x00, 0x1F},      // C0
    Range{0x7F, 0x9F},      // DEL, C1: U+009B begins an escape sequence
    Range{0x061C, 0x061C},  // ARABIC LETTER MARK
    Range{0x200E, 0x200F},  // LEFT-TO-RIGHT MARK, RIGHT-TO-LEFT MARK
    Range{0x2028, 0x2029},  // LINE SEPARATOR, PARAGRAPH SEPARATOR
    Range{0x202A, 0x202E},  // embeddings and overrides
    Range{0x2066, 0x2069},  // isolates
};

}  // namespace

Character first_character(std::string_view text) {
  const std::size_t size = utf8_sequence(text);
  if (size == 0) return {};
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  constexpr std::array<char32_t, 5> kLeadBits{0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = byte(0) & kLeadBits.at(size);
  for (std::size_t i = 1; i < size; ++i) code = code << 6 | (byte(i) & 0x3F);
  return {size, code, true};
}

bool is_shown(const Character& character) {
  if (!character.valid) return false;
  for (const Range& range : kHidden) {
    if (character.code >= range.first && character.code <= range.last) return false;
  }
  return true;
}

// All that are not shown have four digits at most.
void append_escape(const Character& character, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (const int shift : {12, 8, 4, 0}) out += kDigits[(character.code >> shift) & 0xF];
}

std::string visible_text(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character next = first_character(text);
    if (is_shown(next) || kept.find(text.front()) != std::string_view::npos) {
      out += text.substr(0, next.size);
    } else {
      append_escape(next, out);
    }
    text.remove_prefix(next.size);
  }
  return out;
}

}  // namespace fairlead::wire
