#pragma once
// What is said to who names something that is not there: the names there are.

#include <fmt/format.h>

#include <string>

#include "proxy/observe/control.h"

namespace fairlead::edge {

// `text`: what is not there; `name_of` gives the name of one of `items`, which are.
template <class Items, class NameOf>
observe::Outcome not_found(std::string text, const Items& items, NameOf name_of) {
  constexpr std::size_t kMost = 20;
  std::size_t count = 0;
  std::string names;
  for (const auto& item : items) {
    if (++count <= kMost) names += fmt::format("{}\"{}\"", count == 1 ? "" : ", ", name_of(item));
  }
  if (count > kMost) names += fmt::format(" and {} more", count - kMost);
  text += names.empty() ? ", there is none at all"
                        : fmt::format(": there {} {}", count == 1 ? "is" : "are", names);
  return {observe::Outcome::Kind::not_found, std::move(text), {}};
}

}  // namespace fairlead::edge
