#pragma once
// The demo servers' HTTP answers as bytes.

#include <string>
#include <string_view>

#include "proxy/wire/head_parser.h"

namespace fairlead::demo {

// 101 to a checked handshake. No subprotocol, no extension: what is not named is declined.
std::string switching_protocols(const wire::RequestHead& request);

// An answer after which the connection ends. The body is a line with the reason.
std::string refusal(int status);
// To a head that could not be parsed.
int status_of(wire::HeadError error);

std::string page_answer(std::string_view page, bool with_body);

}  // namespace fairlead::demo
