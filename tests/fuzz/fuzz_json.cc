// The admin endpoint's JSON reader: what it takes, written again, is the same value; any text that
// is cut off or has something behind it is refused, unless only spaces were cut or the rest is a
// number still.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/observe/json_value.h"

using namespace fairlead::observe;

namespace {

using Kind = JsonValue::Kind;

void require(bool holds) {
  if (!holds) std::abort();
}

void write_text(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || byte < 0x20) {
      char escape[7];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
}

void write(const JsonValue& value, std::string& out, unsigned depth) {
  require(depth <= kJsonDepth);
  switch (value.kind) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += value.boolean ? "true" : "false";
      return;
    case Kind::number: {
      require(std::isfinite(value.number));
      char digits[40];
      std::snprintf(digits, sizeof digits, "%.17g", value.number);
      out += digits;
      return;
    }
    case Kind::string:
      return write_text(value.text, out);
    case Kind::array:
      out += '[';
      for (const JsonValue& item : value.items) {
        if (&item != &value.items.front()) out += ',';
        write(item, out, depth + 1);
      }
      out += ']';
      return;
    case Kind::object:
      require(value.members.size() <= kJsonMembers);
      out += '{';
      for (const JsonValue::Member& member : value.members) {
        if (&member != &value.members.front()) out += ',';
        write_text(member.name, out);
        out += ':';
        write(member.value, out, depth + 1);
      }
      out += '}';
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = parse_json(text);
  if (!value) return 0;
  std::string once;
  write(*value, once, 0);
  const auto again = parse_json(once);
  require(again.has_value());
  std::string twice;
  write(*again, twice, 0);
  require(once == twice);
  require(!parse_json(once + ","));
  if (value->kind != Kind::number) require(!parse_json(once.substr(0, once.size() - 1)));
  return 0;
}
