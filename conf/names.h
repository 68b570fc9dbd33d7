#pragma once
// Small rules about text: which names are valid, and which known name a misspelt one was meant to
// be.

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::conf {

std::string lower(std::string_view text);  // ASCII only

// A host name as DNS and containers use it: labels of letters, digits, '-' and '_' (RFC 1123 2.1;
// '_' is common in container networks), no trailing dot. All-numeric last labels are refused: they
// are mistyped addresses.
bool is_host_name(std::string_view text);

// Without the dot that ends an absolute name (RFC 1034 3.1): with and without it names are compared
// as equal.
std::string_view without_final_dot(std::string_view name);

// RFC 9110 5.6.2: what a subprotocol or a cookie's name may consist of.
bool is_token(std::string_view text);

// What a route, a backend or a user may be called: letters, digits and "-_.:", at most 64.
bool is_plain_name(std::string_view text);

// The known name nearest to `text`, if it is near enough to be a slip of the finger; else "".
std::string nearest(std::string_view text, const std::vector<std::string>& known);

// ` (did you mean "origins"?)`, or nothing.
std::string did_you_mean(std::string_view text, const std::vector<std::string>& known);

}  // namespace fairlead::conf
