#pragma once
// Text for man pages.

#include <string>
#include <string_view>

namespace fairlead::conf {

// Plain text as roff shows it unchanged, wherever on a line it stands.
std::string roff(std::string_view text);

// As the one argument of a macro: ".SH " + roff_argument(...).
std::string roff_argument(std::string_view text);

}  // namespace fairlead::conf
