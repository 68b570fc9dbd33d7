#pragma once
// The admin endpoint's JSON as text for people.

#include <string>
#include <string_view>
#include <vector>

#include "proxy/observe/json_value.h"

namespace fairlead::remote {

// Columns as wide as their widest cell; the last one is not padded. Cells are made printable().
std::string table(std::vector<std::vector<std::string>> rows);

std::string status_text(const observe::JsonValue& status);
std::string backends_text(const observe::JsonValue& backends);

// "draining chat/10.0.0.1:80: 120 of 500 sessions left, 50/s": one of the API's drains.
std::string drain_text(const observe::JsonValue& drain);

// "3d 4h", "2h 5m", "3m 7s", "45s"
std::string duration_text(double seconds);

// Nothing that a terminal would act on: see wire/visible_text.h.
std::string printable(std::string_view text);

}  // namespace fairlead::remote
