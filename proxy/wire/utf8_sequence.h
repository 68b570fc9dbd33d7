#pragma once

#include <cstddef>
#include <string_view>

namespace fairlead::wire {

// The size in bytes of the character `text` (not empty) begins with; 0: it begins with none (RFC
// 3629 section 4).
std::size_t utf8_sequence(std::string_view text);

}  // namespace fairlead::wire
