#pragma once
// Sessions, as the admin endpoint's JSON has them, as text for people.

#include <string>

#include "proxy/observe/json_value.h"

namespace fairlead::remote {

std::string sessions_text(const observe::JsonValue& list);
std::string session_text(const observe::JsonValue& session);

// "0", "12.3", "4.5k", "6.7M"
std::string short_number(double value);

}  // namespace fairlead::remote
