#include "proxy/wire/head.h"

#include <algorithm>
#include <array>

#include "proxy/wire/chars.h"

namespace fairlead::wire {

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_idempotent(std::string_view method) {
  static constexpr std::array<std::string_view, 6> kMethods = {"GET", "HEAD",   "OPTIONS",
                                                               "PUT", "DELETE", "TRACE"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

const Field* Fields::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (iequals(field.name, name)) return &field;
  }
  return nullptr;
}

std::string_view Fields::get(std::string_view name) const {
  const Field* field = find(name);
  return field ? field->value : std::string_view();
}

std::size_t Fields::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [name](const Field& field) { return iequals(field.name, name); }));
}

bool Fields::has_token(std::string_view name, std::string_view token) const {
  bool found = false;
  for (const Field& field : fields_) {
    if (found) break;
    if (!iequals(field.name, name)) continue;
    for_each_item(field.value, [&](std::string_view item) {
      found = iequals(item, token);
      return !found;
    });
  }
  return found;
}

std::string_view query_value(std::string_view query, std::string_view name) {
  if (query.starts_with('?')) query.remove_prefix(1);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) == name) return pair.substr(std::min(equals + 1, pair.size()));
  }
  return {};
}

}  // namespace fairlead::wire
