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
// The data of the live feed's event: status, backends, totals. `at_ms`: now, since the epoch.
std::string tick_json(const Control& control, std::int64_t at_ms);
// {"error": text}, with "problems" where there are some.
std::string error_json(std::string_view text, const std::vector<std::string>& problems = {});

// {"drains":[...]}
std::string drains_json(const std::vector<DrainStatus>& drains);
// What was done about a drain: `about` (members), "changed", and "drain": how the outcome's drain
// is, or null.
std::string drain_json(std::string_view about, const Outcome& outcome,
                       const std::vector<DrainStatus>& drains);

// The body of a request to change a server, {"state":"drain","rate":"50/s","weight":2}. Nothing
// with `error` set (one line): what is wrong in it.
std::optional<ServerChange> parse_change(std::string_view body, std::string& error);
// {"state":"drain","rate":"50/s"} of a listener or a route, likewise.
std::optional<DrainChange> parse_drain_change(std::string_view body, std::string& error);
// {"rate":"50/s"}, {} or nothing at all. `error` as above.
std::optional<conf::Rate> parse_drain_rate(std::string_view body, std::string& error);

}  // namespace fairlead::observe
