#pragma once
// What JSON Schema (draft 7) says of a value: the members of a schema object, without its braces.
// It is looser than what reads the value, never stricter: whatever loads is valid.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::conf {

// As a JSON string, with its quotes. Bytes from 0x80 on stay as they are (UTF-8).
std::string json_quoted(std::string_view text);

}  // namespace fairlead::conf

namespace fairlead::conf::shape {

// A definition that the whole schema has to have: a string with a "${NAME}" in it, which may become
// anything. patterns and words let it pass.
constexpr std::string_view kVariable = R"("type":"string","pattern":"\\$\\{")";

std::string text();
std::string boolean();
std::string integer(std::uint64_t least, std::uint64_t most);
// Of a whole: 0 to 1.
std::string share();
std::string words(const std::vector<std::string>& words);
// `regex` (ECMA-262) has to fit the whole string.
std::string matching(std::string_view regex);
std::string either(const std::vector<std::string>& shapes);
std::string list(const std::string& item, bool may_be_empty);

// Regular expressions of conf/units.h.
constexpr std::string_view kDuration = "(?=[0-9])([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?";
constexpr std::string_view kSize = "[0-9]+(B|KiB|MiB|GiB)?";
constexpr std::string_view kEventRate = "[0-9]+/[smh]";
constexpr std::string_view kByteRate = "[0-9]+(B|KiB|MiB|GiB)?/[smh]";

}  // namespace fairlead::conf::shape
