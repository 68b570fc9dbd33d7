#include "proxy/rules/hops.h"

#include <algorithm>
#include <cstddef>

namespace fairlead::rules {
namespace {

constexpr std::size_t kDigits = 16;

bool is_hop(std::string_view text) {
  return text.size() == kDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Calls f(hop) for each hop in the list, which may come in several fields (RFC 9110 5.3).
template <class F>
void for_each_hop(const wire::Fields& fields, F f) {
  for (const auto& field : fields) {
    if (!wire::iequals(field.name, kHopsField)) continue;
    wire::for_each_item(field.value, [&](std::string_view item) {
      if (is_hop(item)) f(item);
      return true;
    });
  }
}

}  // namespace

bool is_loop(const wire::Fields& fields, std::string_view own) {
  unsigned count = 0;
  bool here = false;
  for_each_hop(fields, [&](std::string_view hop) {
    ++count;
    here = here || hop == own;
  });
  return here || count >= kHopsMost;
}

std::string next_hops(const wire::Fields& fields, std::string_view own) {
  std::string list;
  for_each_hop(fields, [&](std::string_view hop) { list.append(hop).append(", "); });
  return list.append(own);
}

}  // namespace fairlead::rules
