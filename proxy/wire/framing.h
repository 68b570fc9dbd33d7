#pragma once
// How Content-Length and Transfer-Encoding are read (RFC 9112 6): in one way or not at all.

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/wire/head_parser.h"

namespace fairlead::wire {

// Whether two field names are the same to a recipient that cannot tell '-' from other punctuation.
// CGI and its heirs turn Content-Length and Content_Length into the same variable (RFC
// 3875 4.1.18), so the second is a disguise.
bool same_folded(std::string_view a, std::string_view b);

// 1*DIGIT up to 2^63-1, what every peer can count to.
std::optional<std::uint64_t> parse_length(std::string_view text);

// The rules both kinds of heads share: at most one Content-Length, a valid one; at most one
// Transfer-Encoding, which is "chunked" and stands in HTTP/1.1; neither name in disguise. That not
// both are there is checked by the callers.
HeadError check_framing(const Fields& fields, int minor_version);

}  // namespace fairlead::wire
