#pragma once
// W3C Trace Context, level 1: which trace a request belongs to, and what the backend is told of it.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/wire/head.h"

namespace fairlead::rules {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

// What a traceparent field says. Ids are never all zero.
struct TraceParent {
  TraceId trace{};
  SpanId span{};  // of who sent it
  bool sampled = false;

  bool operator==(const TraceParent&) const = default;
};

// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", in lower case. A higher version may go
// on after another "-" (3.2.4: what version 00 knows of it is read). Nothing: it is not valid.
std::optional<TraceParent> parse_traceparent(std::string_view value);

// Of version 00; flags other than "sampled" are 0, as they have to be (3.2.2.5).
std::string traceparent_text(const TraceParent& parent);

std::string hex_text(const TraceId& id);
std::string hex_text(const SpanId& id);

// A request's own place in a trace.
struct TraceContext {
  TraceParent own;  // what the backend is told: `span` is Fairlead's
  SpanId parent{};  // all zero: the trace begins here, and a tracestate that came is dropped (3.3)

  bool begun_here() const { return parent == SpanId{}; }
};

// Numbers nobody can guess: a trace's id, a span's, and whatever is over.
struct TraceRandom {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::uint64_t span = 0;
};

// Whether a trace of this id is among the sampled: everyone who goes by the id's second half finds
// the same. `share` is 0 to 1.
bool in_sample(const TraceId& id, double share);

// A sampled parent is followed, with a span of our own; none, several or a bad one begin a trace
// anew, sampled or not. Nothing: the parent is not sampled, and its fields pass as they came.
// `follow` false: there is no parent, whatever the head says.
std::optional<TraceContext> trace_context(const wire::Fields& fields, bool follow, double share,
                                          const TraceRandom& random);

// The tracestate fields as one list (3.3.1); "" above 512 bytes, which need not be passed on.
std::string tracestate_of(const wire::Fields& fields);

}  // namespace fairlead::rules
