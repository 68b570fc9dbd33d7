#include "proxy/edge/tracer.h"

#include "proxy/edge/exchange.h"

namespace fairlead::edge {

void Tracer::decide(Home& home, Request& request, const conf::Tracing& settings) {
  const bool follow = settings.parents == conf::Tracing::Parents::any || request.peer.trusted;
  const rules::TraceRandom random{home.random.next(), home.random.next(), home.random.next()};
  request.trace = rules::trace_context(request.head.fields, follow, settings.sample, random);
  if (!request.trace || !request.trace->own.sampled) return;
  auto span = std::make_unique<observe::Span>();
  span->context = *request.trace;
  if (!request.trace->begun_here()) span->state = rules::tracestate_of(request.head.fields);
  span->method = request.head.method;
  span->minor_version = request.head.minor_version;
  span->secure = request.client.secure;
  span->began = std::chrono::system_clock::now();
  span->start = request.began;
  request.span = std::move(span);
}

void Tracer::finish(const observe::Span& span, const observe::Entry& line, rules::Cause cause,
                    net::TimePoint now) {
  constexpr int kServerError = 500;
  const bool failed = line.status >= kServerError || cause == rules::Cause::internal_error ||
                      rules::failure(cause).fault == rules::Fault::backend;
  std::string text;
  observe::append_span(span, line, failed, now, text);
  if (!queue_.enter(text.size())) return;
  gathered_.push_back(std::move(text));
  if (gathered_.size() >= kGathered) flush();
}

void Tracer::flush() {
  if (!gathered_.empty()) queue_.deliver(std::exchange(gathered_, {}));
}

}  // namespace fairlead::edge
