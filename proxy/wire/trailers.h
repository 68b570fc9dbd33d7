#pragma once
// Trailer fields (RFC 9110 6.5): which of those behind a chunked body are passed on.

#include <string>
#include <string_view>

namespace fairlead::wire {

// Whether a recipient could take the field for one of the head's that decides how the message is
// framed, routed, authenticated, cached or processed (RFC 9110 6.5.1), or for one that a proxy
// sets.
bool may_be_trailer(std::string_view name);

// Appends, written anew, those of `lines` that may be trailers; each line ends in CRLF, as
// BodyScanner::trailers() has them.
void append_trailers(std::string_view lines, std::string& out);

}  // namespace fairlead::wire
