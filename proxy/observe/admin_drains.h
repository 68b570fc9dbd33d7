#pragma once
// What of the admin API is about drains: /api/drains, and listeners and routes, which can be set to
// nothing else.

#include <optional>
#include <string_view>

#include "proxy/observe/admin.h"

namespace fairlead::observe {

// Nothing: the path is another's. Who may ask was decided before.
std::optional<AdminAnswer> answer_drains(Control& control, const wire::RequestHead& request,
                                         std::string_view body);

}  // namespace fairlead::observe
