#pragma once
// Spans as OTLP/HTTP wants them in JSON: the attributes of OpenTelemetry's semantic conventions,
// and what they have no word for under "fairlead.". Text only: who sends it is another matter.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/observe/access_log.h"
#include "proxy/rules/trace_context.h"

namespace fairlead::observe {

// A sampled request or session while it lasts. What its log line says is not repeated here.
struct Span {
  using TimePoint = std::chrono::steady_clock::time_point;

  rules::TraceContext context;
  std::string state;   // the parent's tracestate
  std::string method;  // of the request
  int minor_version = 1;
  bool secure = false;                          // the client speaks https, to us or a trusted proxy
  std::chrono::system_clock::time_point began;  // when the head had come
  TimePoint start;                              // the same moment; what follows counts from it
  TimePoint connected{};                        // to the server; {}: it did not come to that
  TimePoint switched{};                         // a session: the 101 was sent
};

// Appends the span of what ended at `end` with this log line. `failed`: by a fault of ours or of
// the backend's. Texts are cut at 1 KiB.
void append_span(const Span& span, const Entry& line, bool failed, Span::TimePoint end,
                 std::string& out);

// What sends the spans.
struct SpanSource {
  std::string_view service_name;
  std::string_view version;
  std::string_view host;  // of the machine
  std::uint64_t pid = 0;
};

// The body of a POST is these two with spans in between, separated by commas.
std::string spans_begin(const SpanSource& source);
inline constexpr std::string_view kSpansEnd = "]}]}]}";

}  // namespace fairlead::observe
