#pragma once
// What Prometheus reads (interface: section 8).

#include <string>
#include <vector>

#include "proxy/observe/control.h"
#include "proxy/observe/registry.h"

namespace fairlead::observe {

std::string metrics_text(const Status& status, const std::vector<BackendStatus>& backends,
                         const CounterView& counters);

// The counters' families alone.
void append_counters(const CounterView& counters, std::string& out);

}  // namespace fairlead::observe
