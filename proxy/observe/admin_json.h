#pragma once
// What the admin endpoint tells of the process, as JSON.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/observe/control.h"

namespace fairlead::observe {

std::string status_json(const Status& status);
std::string upgrade_json(const std::optional<UpgradeStatus>& upgrade);
std::string backends_json(const std::vector<BackendStatus>& backends);
std::string server_json(const ServerStatus& server);
// {"error": text}, with "problems" where there are some.
std::string error_json(std::string_view text, const std::vector<std::string>& problems = {});

// The body of a request to change a server, {"state":"drain","weight":2}. Nothing with `error` set
// (one line): what is wrong in it.
std::optional<ServerChange> parse_change(std::string_view body, std::string& error);

}  // namespace fairlead::observe
