#pragma once
// The configuration reference, from the same tables that parse it.

#include <string>

namespace fairlead::conf {

// Every key with its type, default and meaning, as text for a terminal.
std::string reference_text();

}  // namespace fairlead::conf
