#pragma once
// toml11 knows where values are, not where their keys are. This finds the key in the text.

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::conf {

struct KeyQuestion {
  std::string_view key;
  std::size_t depth = 0;  // keys that lead to its table: 0 at the top
  std::size_t offset =
      0;               // of its value, as toml11 gives it: for [a.b] and [[a.b]] the header,
                       // for a table that a dotted key makes the dotted key, else the value itself
  bool table = false;  // a table, or a list made of [[headers]]
};

// The offset of the key's own part: in [listener.tls] and in tls.min_version = "1.3" that of `tls`.
// The value's offset if the key is not where it should be.
std::size_t find_key(const std::string& text, const KeyQuestion& question);

}  // namespace fairlead::conf
