#include <algorithm>

#include "conf/schema.h"

namespace fairlead::conf {
namespace {

bool fits_header(const std::string& token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Codec<std::optional<Address>> maybe_address() {
  return {"address",
          [plain = listener_address()](
              const Node& node, const Scope& scope) -> std::optional<std::optional<Address>> {
            if (auto address = plain.read(node, scope)) return address;
            return std::nullopt;
          },
          [](const std::optional<Address>&) { return std::string("off"); }};
}

constexpr std::size_t kPatterns = 32;
constexpr std::size_t kPatternBytes = 128;

std::string pattern_complaint(std::string_view pattern) {
  if (pattern.size() > kPatternBytes) return "must not be longer than 128 bytes";
  const std::size_t star = pattern.find('*');
  if (pattern.empty() || star == 0) return "must begin with text: what comes before is shown";
  if (star != std::string_view::npos && pattern.find('*', star + 1) != std::string_view::npos)
    return "may hold one \"*\" only";
  return "";
}

// Each is looked for in each frame: they stay few.
Codec<std::vector<std::string>> patterns() {
  auto codec = list(text("pattern", pattern_complaint), Empty::allowed);
  codec.read = [plain = codec.read](const Node& node, const Scope& scope) {
    auto value = plain(node, scope);
    if (value && value->size() > kPatterns) {
      scope.problem(node, "must not have more than 32 entries");
      value.reset();
    }
    return value;
  };
  return codec;
}

// A file whose content goes into a header.
Field<Admin> token_file(std::string key, std::string Admin::*member, std::string meaning) {
  Field<Admin> field;
  field.about = {std::move(key), "file", "none", std::move(meaning), {}};
  field.read = [member](const Node& node, const Scope& scope, Admin& out) {
    auto bytes = read_secret(node, scope);
    if (!bytes) return;
    if (!fits_header(*bytes)) {
      scope.problem(node, "the token may hold visible ASCII only: it is sent in a header");
      return;
    }
    out.*member = std::move(*bytes);
  };
  return field;
}

}  // namespace

const Schema<Admin>& admin_schema() {
  static const Schema<Admin> schema = [] {
    return Schema<Admin>{
        {field("listen", &Admin::listen, maybe_address(),
               "\"127.0.0.1:9180\", \"unix:/PATH\" (mode 0660)"),
         token_file("token_file", &Admin::token,
                    "16 bytes or more; needed to write over TCP, and off loopback"),
         token_file("read_token_file", &Admin::read_token,
                    "16 bytes or more; whoever has it may look and scrape, but not act"),
         field("tap", &Admin::tap, flag(),
               "whoever may write may look into sessions (`fairlead tap`)"),
         field("tap_redact", &Admin::tap_redact, patterns(),
               "what is hidden there: \"token=*&\" hides from \"token=\" to \"&\"")},
        {}};
  }();
  return schema;
}

}  // namespace fairlead::conf
