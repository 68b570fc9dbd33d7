#include "conf/shape.h"

#include <array>
#include <cstdio>

namespace fairlead::conf {

std::string json_quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      result += escape.data();
    } else {
      result += c;
    }
  }
  return result + "\"";
}

}  // namespace fairlead::conf

namespace fairlead::conf::shape {
namespace {

constexpr std::string_view kOrVariable = R"({"$ref":"#/definitions/variable"})";

std::string joined(const std::vector<std::string>& items) {
  std::string result;
  for (const std::string& item : items) result += (result.empty() ? "" : ",") + item;
  return result;
}

}  // namespace

std::string text() {
  return R"("type":"string")";
}

std::string boolean() {
  return R"("type":"boolean")";
}

std::string integer(std::uint64_t least, std::uint64_t most) {
  return R"("type":"integer","minimum":)" + std::to_string(least) + R"(,"maximum":)" +
         std::to_string(most);
}

std::string share() {
  return R"("type":"number","minimum":0,"maximum":1)";
}

std::string words(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) quoted.push_back(json_quoted(word));
  return R"("anyOf":[{"enum":[)" + joined(quoted) + "]}," + std::string(kOrVariable) + "]";
}

std::string matching(std::string_view regex) {
  return R"("type":"string","pattern":)" + json_quoted("^(" + std::string(regex) + R"()$|\$\{)");
}

std::string either(const std::vector<std::string>& shapes) {
  std::vector<std::string> objects;
  for (const std::string& shape : shapes) objects.push_back("{" + shape + "}");
  return R"("anyOf":[)" + joined(objects) + "]";
}

std::string list(const std::string& item, bool may_be_empty) {
  return R"("type":"array","items":{)" + item + "}" + (may_be_empty ? "" : R"(,"minItems":1)");
}

}  // namespace fairlead::conf::shape
