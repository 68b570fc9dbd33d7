#pragma once
// toml11's errors are little pictures of several lines; ours are one line with a position.

#include <string_view>

#include "conf/source.h"

namespace fairlead::conf {

// `text` is what() of toml11's exception, `at` its location() ({} if it has none). What it says in
// one line, and where: the caret's place in the picture is more exact than location() where that is
// the line's start.
TextProblem syntax_problem(const Source& source, std::string_view text, Position at);

}  // namespace fairlead::conf
