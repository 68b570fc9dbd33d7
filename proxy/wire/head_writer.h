#pragma once
// Serialises heads. What is forwarded is written anew from what was parsed, never copied through.

#include <string>
#include <string_view>

#include "proxy/wire/head.h"

namespace fairlead::wire {

// Appends to `out`, which is cleared first by none of them: start line, then fields, then end().
// A control character in a value, a reason or a target, which no parsed head has, is written as a
// space (RFC 9110 5.5): whatever a caller puts together, a line stays one line.
class HeadWriter {
 public:
  explicit HeadWriter(std::string& out) : out_(out) {}

  HeadWriter& request_line(std::string_view method, std::string_view target);  // HTTP/1.1
  HeadWriter& status_line(int status,
                          std::string_view reason);  // HTTP/1.1; empty reason: the standard one
  HeadWriter& field(std::string_view name, std::string_view value);
  void end();

 private:
  std::string& out_;
};

// The standard reason phrase (RFC 9110 15), "" for an unknown status.
std::string_view reason_phrase(int status);

// Whether a field belongs to this hop only and is not forwarded (RFC 9110 7.6.1): Connection and
// what it names, Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding, Upgrade, HTTP2-Settings.
// `fields` is the head's. Connection cannot name away what the two ends, the routing or the framing
// depend on (is_end_to_end in the .cc).
bool is_hop_by_hop(const Fields& fields, std::string_view name);

// Sec-WebSocket-* in the case RFC 6455 spells it (some servers compare exactly); other names as
// they are.
std::string_view canonical_name(std::string_view name);

}  // namespace fairlead::wire
