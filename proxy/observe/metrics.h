#pragma once
// What Prometheus reads: its text format 0.0.4.

#include <string>
#include <vector>

#include "proxy/observe/control.h"

namespace fairlead::observe {

std::string metrics_text(const Status& status, const std::vector<BackendStatus>& backends);

// A label's value with its quotes: backslash, quote and line feed are escaped.
std::string label_value(std::string_view text);

}  // namespace fairlead::observe
