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

// Whether a name is that of a field which says where a body ends, or such a disguise of it.
bool is_framing_name(std::string_view name);

// Such a disguise.
bool is_framing_disguise(std::string_view name);

// 1*DIGIT up to 2^63-1, what every peer can count to.
std::optional<std::uint64_t> parse_length(std::string_view text);

// Of a request: at most one Content-Length, a valid one; at most one Transfer-Encoding, which is
// "chunked" and stands in HTTP/1.1; neither name in disguise. That not both are there is checked by
// the caller.
HeadError check_framing(const Fields& fields, int minor_version);

// Of an answer: Content-Lengths are valid and equal; at most one Transfer-Encoding, "chunked". A
// name in disguise means nothing to an HTTP client, and is not passed on. Sets `flaw` on error.
HeadError check_answer_framing(ResponseHead& head);

}  // namespace fairlead::wire
