#pragma once
// JSON text read into values (RFC 8259), strictly: UTF-8, no name twice in an object, a bounded
// depth. For requests to the admin endpoint and for its answers; the size is the caller's bound.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::observe {

struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

  struct Member;

  Kind kind = Kind::null;
  bool boolean = false;
  double number = 0;
  std::string text;
  std::vector<JsonValue> items;
  std::vector<Member> members;

  // An object's member, or null.
  const JsonValue* find(std::string_view name) const;
  // The member as what it should be; "", 0, false, or none where it is not there or something else.
  std::string string_of(std::string_view name) const;
  double number_of(std::string_view name) const;
  bool flag_of(std::string_view name) const;
  const std::vector<JsonValue>& items_of(std::string_view name) const;
};

struct JsonValue::Member {
  std::string name;
  JsonValue value;
};

constexpr unsigned kJsonDepth = 16;        // arrays and objects within each other
constexpr std::size_t kJsonMembers = 256;  // of an object: each is compared with each

// Nothing if the text is not one JSON value.
std::optional<JsonValue> parse_json(std::string_view text);

}  // namespace fairlead::observe
