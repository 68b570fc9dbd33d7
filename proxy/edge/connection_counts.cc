// What of a connection and its requests is counted for all to see (observe/registry.h).

#include "proxy/edge/connection.h"

namespace fairlead::edge {
namespace {

using observe::SessionResult;
using rules::Cause;

SessionResult result_of(Cause cause) {
  if (cause == Cause::done) return SessionResult::declined;
  if (cause == Cause::client_left) return SessionResult::abandoned;
  const bool backend = rules::failure(cause).fault == rules::Fault::backend;
  return backend ? SessionResult::failed : SessionResult::refused;
}

}  // namespace

void Connection::count_tls() {
  const tls::Engine& engine = *client_->tls();
  const bool newest = engine.version() == "TLSv1.3";
  home_.counters->tls_handshakes[newest ? 1 : 0][engine.resumed() ? 1 : 0].add();
}

// A request that did not become a session, or a connection that never came to one: once each.
void Connection::count_http(Cause cause, int status, const Request* request) {
  // Status 0: turned away without a word.
  if (rules::is_refusal(cause) && (status == 0 || status == rules::failure(cause).status))
    home_.counters->refuse(cause);
  home_.counters->limit_of(cause);
  const RouteRuntime* route = request != nullptr ? request->route : nullptr;
  observe::RouteCounters& counters = route != nullptr ? *route->counters : runtime_->unrouted();
  observe::RouteTally& tally = counters.of(home_.worker);
  if (status != 0) {
    tally.requests[counters.statuses.slot(static_cast<std::uint16_t>(status))].add();
  }
  if (route != nullptr && request->websocket) tally.end(result_of(cause));
}

}  // namespace fairlead::edge
