#include "proxy/rules/connection_auth.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace fairlead::rules {
namespace {

bool is_scheme_of_connection(std::string_view credentials) {
  static constexpr std::array<std::string_view, 4> kSchemes = {"NTLM", "Negotiate", "Nego2",
                                                               "Kerberos"};
  const std::string_view scheme = credentials.substr(0, credentials.find_first_of(" \t"));
  return std::any_of(kSchemes.begin(), kSchemes.end(),
                     [&](std::string_view one) { return wire::iequals(scheme, one); });
}

// Challenges are a list, in which a parameter of one looks like an item (RFC 9110 11.6.1): none of
// them is one of these words alone.
bool lists_one(const wire::Fields& fields, std::string_view name) {
  bool found = false;
  for (const auto& field : fields) {
    if (found || !wire::iequals(field.name, name)) continue;
    wire::for_each_item(field.value, [&](std::string_view item) {
      found = is_scheme_of_connection(item);
      return !found;
    });
  }
  return found;
}

}  // namespace

bool binds_connection(const wire::RequestHead& head) {
  return lists_one(head.fields, "Authorization") || lists_one(head.fields, "Proxy-Authorization");
}

bool binds_connection(const wire::ResponseHead& head) {
  return lists_one(head.fields, "WWW-Authenticate") || lists_one(head.fields, "Proxy-Authenticate");
}

}  // namespace fairlead::rules
