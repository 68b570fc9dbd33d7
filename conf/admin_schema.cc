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

}  // namespace

const Schema<Admin>& admin_schema() {
  static const Schema<Admin> schema = [] {
    Field<Admin> token;
    token.about = {"token_file",
                   "file",
                   "none",
                   "16 bytes or more; needed to write over TCP, and off loopback",
                   {}};
    token.read = [](const Node& node, const Scope& scope, Admin& out) {
      auto bytes = read_secret(node, scope);
      if (!bytes) return;
      if (!fits_header(*bytes)) {
        scope.problem(node, "the token may hold visible ASCII only: it is sent in a header");
        return;
      }
      out.token = std::move(*bytes);
    };
    return Schema<Admin>{{field("listen", &Admin::listen, maybe_address(),
                                "\"127.0.0.1:9180\", \"unix:/PATH\" (mode 0660)"),
                          token},
                         {}};
  }();
  return schema;
}

}  // namespace fairlead::conf
