#pragma once
// The configuration reference, from the same tables that parse it.

#include <string>
#include <string_view>

namespace fairlead::conf {

// Every key with its type, default and meaning, as text for a terminal.
std::string reference_text();

// The same as fairlead.toml(5), in man(7)'s macros. `date` is shown as it is.
std::string reference_man(std::string_view version, std::string_view date);

}  // namespace fairlead::conf
