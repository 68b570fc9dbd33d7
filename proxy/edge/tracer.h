#pragma once
// A worker's part of tracing: decides which requests are traced, writes their spans when they end,
// and hands them over some at a time. Costs a request without [tracing] one test.

#include "conf/config.h"
#include "proxy/edge/span_queue.h"
#include "proxy/net/timer.h"
#include "proxy/observe/access_log.h"
#include "proxy/observe/span.h"
#include "proxy/rules/failure.h"

namespace fairlead::edge {

struct Home;
struct Request;

class Tracer {
 public:
  // Handed over as soon as so many are gathered.
  static constexpr std::size_t kGathered = 64;

  explicit Tracer(SpanQueue& queue) : queue_(queue) {}

  // The request's place in its trace, and its span if that is sampled.
  void begin(Home& home, Request& request, const conf::Tracing& settings) {
    if (settings.endpoint) decide(home, request, settings);
  }

  // It ended, with this log line.
  void finish(const observe::Span& span, const observe::Entry& line, rules::Cause cause,
              net::TimePoint now);
  // Hands over what was gathered.
  void flush();

  std::size_t waiting() const { return gathered_.size(); }

 private:
  static void decide(Home& home, Request& request, const conf::Tracing& settings);

  SpanQueue& queue_;
  SpanQueue::Spans gathered_;
};

}  // namespace fairlead::edge
