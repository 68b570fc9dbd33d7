// What of a session is counted for all to see (observe/registry.h).

#include "proxy/edge/tunnel.h"

namespace fairlead::edge {

using observe::LimitHit;
using rules::Cause;

void Tunnel::count_control(Side side, observe::RouteTally::Control control) {
  tally_.controls[side][control].add();
}

// A frame that has an event of its own and passes like any other.
void Tunnel::count_passing(Side side, wire::ScanResult::Event event) {
  using Event = wire::ScanResult::Event;
  if (event == Event::empty) ++peers_[side].counters.continuations;
  if (event == Event::ping) count_control(side, observe::RouteTally::ping);
  if (event == Event::pong) count_control(side, observe::RouteTally::pong);
}

void Tunnel::count_too_big(Side side, wire::Violation violation) {
  if (violation == wire::Violation::frame_too_big)
    return home_.counters->limit(LimitHit::max_frame);
  home_.counters->limit(side == kClient ? LimitHit::max_message
                                        : LimitHit::max_message_from_backend);
}

void Tunnel::count_open() {
  tally_.end(observe::SessionResult::opened);
  ++*route().sessions;
  home_.counters->handshake.add(static_cast<double>(handshake_ms_) / 1000);
}

void Tunnel::count_close() {
  const std::size_t code = route().counters->codes.slot(close_code_);
  tally_.closes[code][static_cast<std::size_t>(rules::ended_by(cause_))].add();
  tally_.ends[static_cast<std::size_t>(cause_)].add();
  --*route().sessions;
  observe::WorkerCounters& counters = *home_.counters;
  counters.session_duration.add(std::chrono::duration<double>(home_.loop.now() - opened_).count());
  counters.limit_of(cause_);
  if (cause_ == Cause::client_dead) counters.dead_peers[kClient].add();
  if (cause_ == Cause::backend_dead) counters.dead_peers[kBackend].add();
}

}  // namespace fairlead::edge
