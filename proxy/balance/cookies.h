#pragma once
// A request's cookies (RFC 6265 5.4: name=value pairs).

#include <string_view>

#include "proxy/wire/head.h"

namespace fairlead::balance {

// Without the quotes around it (RFC 6265 4.1.1 allows a pair of them).
constexpr std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// Calls f(value) for each cookie of that name in a Cookie field's value. f returns false to stop;
// then so does this.
template <class F>
bool for_each_cookie(std::string_view list, std::string_view name, F f) {
  while (!list.empty()) {
    const auto end = list.find(';');
    const auto pair = list.substr(0, end);
    list = end == std::string_view::npos ? std::string_view{} : list.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || wire::trim(pair.substr(0, equals)) != name) continue;
    if (!f(unquoted(wire::trim(pair.substr(equals + 1))))) return false;
  }
  return true;
}

// The same for all Cookie fields of a request.
template <class F>
void for_each_cookie(const wire::Fields& fields, std::string_view name, F f) {
  for (const auto& field : fields) {
    if (!wire::iequals(field.name, "Cookie")) continue;
    if (!for_each_cookie(field.value, name, f)) return;
  }
}

}  // namespace fairlead::balance
