#include "proxy/observe/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "proxy/wire/chars.h"
#include "proxy/wire/visible_text.h"

namespace fairlead::observe {
namespace {

// Stands for itself in a JSON string; what is not ASCII doesn't count as such here.
constexpr bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

bool eight_plain(const char* at) {
  std::uint64_t x = 0;
  std::memcpy(&x, at, sizeof x);
  const auto zero_byte = [](std::uint64_t y) { return (y - wire::chars::repeat(1)) & ~y; };
  const std::uint64_t suspect =
      x | zero_byte(x ^ wire::chars::repeat('"')) | zero_byte(x ^ wire::chars::repeat('\\'));
  return (suspect & wire::chars::repeat(0x80)) == 0 && !wire::chars::has_control(at);
}

// Most texts are; those of other alphabets and the hostile ones take the long way.
bool all_plain(std::string_view text) {
  while (text.size() >= 8) {
    if (!eight_plain(text.data())) return false;
    text.remove_prefix(8);
  }
  return std::all_of(text.begin(), text.end(), is_plain);
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  for (;;) {
    const auto stop = std::find_if_not(text.begin(), text.end(), is_plain);
    out.append(text.begin(), stop);
    if (stop == text.end()) break;
    text.remove_prefix(static_cast<std::size_t>(stop - text.begin()));
    const wire::Character next = wire::first_character(text);
    if (!wire::is_shown(next)) {
      wire::append_escape(next, out);
    } else {
      if (next.size == 1) out += '\\';  // a quote or a backslash
      out += text.substr(0, next.size);
    }
    text.remove_prefix(next.size);
  }
  out += '"';
}

void JsonFields::key(std::string_view name) {
  char* at = room(name.size() + 4);
  at[0] = ',';
  at[1] = '"';
  std::memcpy(at + 2, name.data(), name.size());
  at[name.size() + 2] = '"';
  at[name.size() + 3] = ':';
  size_ += name.size() + 4;
}

void JsonFields::text(std::string_view name, std::string_view value) {
  if (value.empty()) return;
  key(name);
  if (!all_plain(value)) {
    std::string quoted;
    append_json_string(value, quoted);
    raw(quoted);
    return;
  }
  char* at = room(value.size() + 2);
  at[0] = '"';
  std::memcpy(at + 1, value.data(), value.size());
  at[value.size() + 1] = '"';
  size_ += value.size() + 2;
}

void JsonFields::digits(std::uint64_t value) {
  const fmt::format_int text(value);
  raw({text.data(), text.size()});
}

void JsonFields::number(std::string_view name, std::uint64_t value) {
  key(name);
  digits(value);
}

void JsonFields::millis(std::string_view name, std::optional<double> value) {
  if (!value) return;
  key(name);
  const auto micros = static_cast<std::uint64_t>(std::llround(std::clamp(*value, 0.0, 1e12) * 1e3));
  digits(micros / 1000);
  const auto rest = static_cast<unsigned>(micros % 1000);
  const std::array<char, 4> decimals{'.', static_cast<char>('0' + rest / 100),
                                     static_cast<char>('0' + rest / 10 % 10),
                                     static_cast<char>('0' + rest % 10)};
  raw({decimals.data(), decimals.size()});
}

void JsonFields::hex(std::string_view name, std::uint64_t value) {
  key(name);
  std::array<char, 18> text{};
  text.front() = text.back() = '"';
  for (std::size_t i = 16; i > 0; --i, value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  raw({text.data(), text.size()});
}

}  // namespace fairlead::observe
