#pragma once
// Why something ended or was refused, as one would say it to an operator. failure.h's own text is
// for the peer and tells it less.

#include <string_view>

#include "proxy/rules/failure.h"

namespace fairlead::observe {

// A sentence without its full stop.
std::string_view plain_words(rules::Cause cause);

}  // namespace fairlead::observe
