#pragma once
// Text of strangers for terminals and logs: what would move a cursor, begin an escape sequence or
// turn the order of what is shown around is written as an escape.

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::wire {

// What a text begins with: a character, or a byte that belongs to none (RFC 3629).
struct Character {
  std::size_t size = 1;  // bytes
  char32_t code = 0xFFFD;
  bool valid = false;  // false: one byte that is not UTF-8
};

// `text` must not be empty.
Character first_character(std::string_view text);

// Whether it shows itself and nothing else. False for control characters (C0, DEL, C1), for the
// marks that change the direction of a text (U+061C, U+200E-F, U+202A-E, U+2066-9), for the line
// and paragraph separators U+2028 and U+2029, and for what is not UTF-8.
bool is_shown(const Character& character);

// Appends "\u009b"; "\ufffd" for a byte that is not UTF-8.
void append_escape(const Character& character, std::string& out);

// The text with an escape in the place of each character that is not shown. `kept`: characters
// that pass nevertheless, such as "\n".
std::string visible_text(std::string_view text, std::string_view kept = {});

}  // namespace fairlead::wire
