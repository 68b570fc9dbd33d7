#pragma once
// page.html as it was when the program was built.

#include <string_view>

namespace fairlead::demo {

std::string_view page();

}  // namespace fairlead::demo
