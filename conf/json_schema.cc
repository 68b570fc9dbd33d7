#include "conf/json_schema.h"

#include <string_view>

#include "conf/schema.h"
#include "conf/shape.h"

namespace fairlead::conf {
namespace {

std::string value_shape(const Described& entry) {
  if (!entry.shape.empty()) return entry.shape;
  if (entry.type == "table") return object_shape(entry.nested);
  if (entry.type == "list") return shape::list(object_shape(entry.nested), true);
  return shape::text();
}

// What an editor shows next to the key.
std::string hover(const Described& entry) {
  std::string text = entry.doc;
  if (entry.type.empty() || entry.type == "table" || entry.type == "list") return text;
  text += (text.empty() ? "" : "\n") + entry.type;
  if (entry.fallback.empty() || has_literal_fallback(entry)) return text;
  return text + "\nDefault: " + entry.fallback;
}

std::string property(const Described& entry) {
  std::string result = json_quoted(entry.key) + ":{";
  if (const std::string text = hover(entry); !text.empty()) {
    result += "\"description\":" + json_quoted(text) + ",";
  }
  if (has_literal_fallback(entry)) result += "\"default\":" + entry.fallback + ",";
  return result + value_shape(entry) + "}";
}

// JSON without blanks, a member or item a line.
std::string indented(std::string_view json) {
  std::string result;
  std::size_t depth = 0;
  bool quoted = false;
  const auto new_line = [&] { result += "\n" + std::string(2 * depth, ' '); };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted) {
      result += c;
      if (c == '\\') result += json[++i];
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '}' || c == ']') {
      --depth;
      if (json[i - 1] != '{' && json[i - 1] != '[') new_line();
    }
    result += c;
    if (c == '"') quoted = true;
    if (c == ':') result += ' ';
    if (c == '{' || c == '[') ++depth;
    const bool empty = i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']');
    if (c == ',' || ((c == '{' || c == '[') && !empty)) new_line();
  }
  return result + "\n";
}

}  // namespace

std::string object_shape(const std::vector<Described>& entries) {
  std::string properties;
  std::string required;
  for (const Described& entry : entries) {
    properties += (properties.empty() ? "" : ",") + property(entry);
    if (entry.required) required += (required.empty() ? "" : ",") + json_quoted(entry.key);
  }
  return R"("type":"object","properties":{)" + properties + R"(},"additionalProperties":false)" +
         (required.empty() ? "" : R"(,"required":[)" + required + "]");
}

std::string json_schema() {
  return indented(
      R"({"$schema":"http://json-schema.org/draft-07/schema#","title":"fairlead.toml",)" +
      object_shape(file_description()) + R"(,"definitions":{"variable":{)" +
      std::string(shape::kVariable) + "}}}");
}

}  // namespace fairlead::conf
