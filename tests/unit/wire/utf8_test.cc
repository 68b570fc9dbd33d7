#include <string>
#include <string_view>

#include "proxy/wire/frame.h"
#include "tests/support/catch.h"

namespace fairlead::wire {
namespace {

using namespace std::string_view_literals;

struct Row {
  const char* why;
  std::string_view text;
};

// A character or a fault at every offset around the eight bytes the fast path takes at once.
std::string padded(std::size_t before, std::string_view text, std::size_t after) {
  return std::string(before, 'a') + std::string(text) + std::string(after, 'z');
}

// U+0000 to U+10FFFF and somewhat more, by the formula, surrogates included.
std::string encoded(unsigned code) {
  const auto tail = [code](unsigned shift) {
    return static_cast<char>(0x80 | (code >> shift & 0x3F));
  };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | code >> 6), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0 | code >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0)};
}

}  // namespace

TEST_CASE("utf8: well-formed text is taken", "[wire][utf8]") {
  const auto row = GENERATE(values<Row>({
      {"nothing", ""},
      {"ascii", "Hello"},
      {"NUL and DEL are characters", "\x00\x7F"sv},
      {"first and last of two bytes", "\xC2\x80\xDF\xBF"},
      {"first and last of three bytes", "\xE0\xA0\x80\xEF\xBF\xBF"},
      {"both sides of the surrogates", "\xED\x9F\xBF\xEE\x80\x80"},
      {"first and last of four bytes", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
      {"a byte order mark", "\xEF\xBB\xBF"},
      {"a noncharacter", "\xEF\xBF\xBE"},
      {"kosme, the Autobahn's", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5"},
  }));
  CAPTURE(row.why);
  for (std::size_t before = 0; before < 10; ++before) {
    CHECK(is_utf8(padded(before, row.text, 9)));
    CHECK(is_utf8(padded(before, row.text, 0)));
  }
}

TEST_CASE("utf8: malformed text is refused wherever it stands", "[wire][utf8]") {
  const auto row = GENERATE(values<Row>({
      {"a lone continuation byte", "\x80"},
      {"the last continuation byte alone", "\xBF"},
      {"overlong NUL", "\xC0\x80"},
      {"overlong slash", "\xC0\xAF"},
      {"overlong DEL", "\xC1\xBF"},
      {"overlong in three bytes", "\xE0\x9F\xBF"},
      {"overlong in four bytes", "\xF0\x8F\xBF\xBF"},
      {"the first surrogate", "\xED\xA0\x80"},
      {"the last surrogate", "\xED\xBF\xBF"},
      {"a surrogate pair", "\xED\xA0\xBD\xED\xB8\x80"},
      {"above U+10FFFF", "\xF4\x90\x80\x80"},
      {"lead byte F5", "\xF5\x80\x80\x80"},
      {"five bytes", "\xF8\x88\x80\x80\x80"},
      {"FE", "\xFE"},
      {"FF", "\xFF"},
      {"two of two, cut", "\xC3"},
      {"three of three, cut to one", "\xE2"},
      {"three of three, cut to two", "\xE2\x82"},
      {"four of four, cut to three", "\xF0\x9F\x98"},
      {"second byte no continuation", "\xE2\x28\xA1"},
      {"third byte no continuation", "\xE2\x82\x28"},
      {"fourth byte no continuation", "\xF0\x9F\x98\x28"},
      {"a lead byte within a sequence", "\xF0\x9F\xC3\xA9"},
  }));
  CAPTURE(row.why);
  for (std::size_t before = 0; before < 10; ++before) {
    CHECK_FALSE(is_utf8(padded(before, row.text, 9)));
    CHECK_FALSE(is_utf8(padded(before, row.text, 0)));
  }
}

TEST_CASE("utf8: every code point passes but the surrogates and what is too high", "[wire][utf8]") {
  unsigned wrong = 0;
  for (unsigned code = 0; code < 0x120000; ++code) {
    const bool scalar = code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
    if (is_utf8(encoded(code)) != scalar) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("utf8: of all two-byte texts those of the grammar pass", "[wire][utf8]") {
  unsigned taken = 0;
  for (unsigned pair = 0; pair < 0x10000; ++pair) {
    const std::string text{static_cast<char>(pair >> 8), static_cast<char>(pair & 0xFF)};
    if (is_utf8(text)) ++taken;
  }
  CHECK(taken == 128 * 128 + (0x800 - 0x80));
}

}  // namespace fairlead::wire
