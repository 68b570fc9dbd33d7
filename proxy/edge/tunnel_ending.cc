// Everything of a session that is not on the path of a byte: pings, deadlines, endings, its log
// lines.

#include <algorithm>
#include <cassert>
#include <cstring>

#include "proxy/edge/reattach.h"
#include "proxy/edge/tracer.h"
#include "proxy/edge/tunnel.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {

using rules::Cause;

// --- keepalive -----------------------------------------------------------------------------------

void Tunnel::check_keepalive(Side side) {
  Peer& peer = peers_[side];
  if (peer.gone || ending_) return;
  net::TimePoint now = home_.loop.now();
  const bool unread = !peer.stream->reading();
  if (unread) peer.heard = now;  // we do not listen: its silence says nothing
  const KeepaliveSettings& settings = side == kClient ? route().ping_client : route().ping_backend;
  follow_ping(side, settings);
  if (unread && side == kClient) return ping_unread_client(settings);
  KeepaliveStep step = keepalive(settings, {peer.heard, peer.pinged, peer.waiting}, now);
  if (step.action == KeepaliveStep::Action::dead) {
    if (has_spoken(peer)) return;
    end(side == kClient ? Cause::client_dead : Cause::backend_dead);
  } else if (step.action == KeepaliveStep::Action::ping) {
    peer.ping_due = true;
    try_ping(side);
    if (peer.ping_due) check_stuck(other(side), settings);
  }
}

// What it said in time may wait in its socket, where a turn of the loop has not come to it yet.
bool Tunnel::has_spoken(Peer& peer) {
  if (!peer.stream->has_unread()) return false;
  peer.heard = home_.loop.now();
  return true;
}

// The Ping waits for the end of a frame of this side. A side that falls silent within a frame could
// not answer a Ping either: it has as long as one that does not answer.
void Tunnel::check_stuck(Side side, const KeepaliveSettings& settings) {
  Peer& peer = peers_[side];
  const net::TimePoint now = home_.loop.now();
  if (!peer.scanner.mid_frame() || !peer.stream->reading()) return;
  if (now < peer.heard + *settings.interval + settings.timeout) return;
  if (has_spoken(peer)) return;
  end(side == kClient ? Cause::client_dead : Cause::backend_dead);
}

// A Ping goes out between two frames only, and not behind bytes that wait (invariant 7).
void Tunnel::try_ping(Side to) {
  Peer& peer = peers_[to];
  if (ending_ || peer.gone || peer.close_sent) {
    peer.ping_due = false;
    return;
  }
  if (peers_[other(to)].scanner.mid_frame() || peer.stream->blocked()) return;
  peer.ping_due = false;
  const OwnPings::Payload payload = peer.pings.next(home_.random.next());
  wire::ControlFrame ping = wire::make_control(wire::Opcode::ping, payload, masking(to));
  peer.ping_behind = peer.stream->watch_delivery();
  peer.ping_untimed = false;
  if (!peer.stream->write(ping.span())) return lost(to);
  if (peer.ping_behind) peer.stream->mark_written();
  peer.waiting = true;
  peer.pinged = home_.loop.now();
  ++pings_;
}

wire::Masking Tunnel::masking(Side to) {
  wire::Masking masking;
  if (to == kClient) return masking;
  masking.on = true;
  std::uint64_t random = home_.random.next();
  std::memcpy(masking.key.data(), &random, masking.key.size());
  return masking;
}

// --- deadlines -----------------------------------------------------------------------------------

void Tunnel::check_deadlines() {
  const conf::WebSocket& settings = route().settings->websocket;
  net::TimePoint now = home_.loop.now();
  check_leaving();
  if (ending_) return;
  check_unread_client();
  for (Side side : {kClient, kBackend}) check_stall(side);
  if (ending_) return;
  if (settings.max_lifetime && now >= opened_ + *settings.max_lifetime)
    return end(Cause::max_lifetime);
  if (settings.idle_timeout && now >= last_data_ + *settings.idle_timeout) {
    if (!moves_slowly()) return end(Cause::idle_timeout);
    last_data_ = now;
  }
  check_keepalive(kClient);
  check_keepalive(kBackend);
  log_update();
  resume_throttled();
}

net::TimePoint Tunnel::next_deadline() {
  const conf::WebSocket& settings = route().settings->websocket;
  net::TimePoint now = home_.loop.now();
  net::TimePoint next = net::TimePoint::max();
  if (ending_) {
    const bool held = throttle_ && throttle_->waiting && limited();
    return held ? std::min(ending_deadline_, throttle_->resume) : ending_deadline_;
  }
  for (Side side : {kClient, kBackend}) {
    Peer& peer = peers_[side];
    if (peer.stream->is_open() && peer.stream->blocked()) {
      next = std::min(next, next_stall_look(*peer.stream));
    }
    const KeepaliveSettings& pings = side == kClient ? route().ping_client : route().ping_backend;
    next = std::min(next, next_ping_look(side, pings));
    KeepaliveStep step = keepalive(pings, {peer.heard, peer.pinged, peer.waiting}, now);
    next = std::min(
        next, step.action == KeepaliveStep::Action::none ? step.next : step.next + conf::Millis{1});
  }
  if (settings.max_lifetime) next = std::min(next, opened_ + *settings.max_lifetime);
  if (settings.idle_timeout) next = std::min(next, last_data_ + *settings.idle_timeout);
  next = std::min(next, next_watch());
  if (leaving_) next = std::min(next, next_leaving());
  if (route().update_interval)
    next = std::min(next, opened_ + (updates_ + 1) * *route().update_interval);
  if (throttle_ && throttle_->waiting && now < throttle_->resume)
    next = std::min(next, throttle_->resume);
  return next;
}

void Tunnel::on_timer(net::Timer&) {
  assert(home_.loop.in_thread());
  if (ending_) await_delivery();
  if (ending_ && home_.loop.now() >= ending_deadline_) {
    if (leaves()) {
      for (Side side : {kClient, kBackend}) try_close(side);
    }
    answer_overdue();
    if (home_.loop.now() >= ending_deadline_) return conclude();
  }
  check_deadlines();
  settle();
  if (dead()) return;
  net::TimePoint next = next_deadline();
  timer_.arm_by(next);
}

// --- endings -------------------------------------------------------------------------------------

// Fairlead ends the session, or finds that it has ended. The first cause stays; failure.h knows the
// codes.
void Tunnel::end(Cause cause) {
  if (ending_) return;
  if (reattach_ && held_instead(cause)) return;
  begin_end(cause);
}

void Tunnel::begin_end(Cause cause) {
  ending_ = true;
  cause_ = cause;
  ending_since_ = home_.loop.now();
  ending_deadline_ = ending_since_ + conf::bounds::kCloseWait;
  timer_.arm_by(ending_deadline_);
  const rules::Failure& why = rules::failure(cause);
  close_code_ = rules::own_close_code(cause);
  close_order_.begin(cause, !peers_[kBackend].gone);
  peers_[kClient].close_due = why.client_code;
  if (!close_order_.keeps_server()) peers_[kBackend].close_due = why.backend_code;
  for (Side side : {kClient, kBackend}) {
    if (peers_[side].gone) continue;
    if (peers_[side].close_due != 0) {
      try_close(side);
    } else if (!peers_[side].close_sent && !(side == kBackend && close_order_.keeps_server())) {
      abandon(side);
      // What a dead or stalled peer did not take it never will.
      if (peers_[side].stream->blocked()) peers_[side].stream->close();
    }
  }
}

// Sends the Close that is due, if what goes to that side stands at a frame boundary. A frame whose
// rest will never come cannot be ended: then only TCP can end. A session that leaves awaits the end
// of the message too, unless `anyway`.
void Tunnel::try_close(Side to, bool anyway) {
  Peer& peer = peers_[to];
  Peer& source = peers_[other(to)];
  if (peer.close_due == 0 || peer.gone || peer.close_sent) return;
  if (source.scanner.mid_frame()) {
    if (source.gone) abandon(to);
    return;
  }
  net::TimePoint now = home_.loop.now();
  if (!anyway && leaves() && in_message(other(to)) && now < leaving_->leave().until) return;
  ending_deadline_ = now + answer_time(to);
  timer_.arm_by(ending_deadline_);
  send_close(to, std::exchange(peer.close_due, std::uint16_t{0}), rules::failure(cause_).text);
}

void Tunnel::send_close(Side to, std::uint16_t code, std::string_view reason) {
  Peer& peer = peers_[to];
  wire::ControlFrame close = wire::make_close(code, reason, masking(to));
  bool sent = peer.stream->write(close.span());
  told_close(to);
  if (!sent) lost(to);
}

// A Close came in. The first one ends the session and passes with its code and reason; the other
// side's answer passes too, unless that side was told by us already.
void Tunnel::close_frame(Side from_side, std::span<const char> frame,
                         const wire::FrameHeader& header) {
  Peer& from = peers_[from_side];
  Peer& to = peers_[other(from_side)];
  const wire::ControlPayload payload = wire::control_payload(header, frame);
  const wire::CloseView said = wire::parse_close(payload.view());
  if (reattach_ && close_while_held(from_side, said.code)) return;
  from.close_got = true;
  count_control(from_side, observe::RouteTally::close);
  if (!ending_) {
    ending_ = true;
    cause_ = from_side == kClient ? Cause::client_closed : Cause::backend_closed;
    close_code_ = said.code;
    if (!said.reason.empty()) close_reason_ = std::make_unique<std::string>(said.reason);
    ending_since_ = home_.loop.now();
    ending_deadline_ = ending_since_ + conf::bounds::kCloseWait;
    timer_.arm_by(ending_deadline_);
  }
  if (dropping(from_side) || to.close_due != 0) return;
  if (from_side == kClient && close_order_.client_first()) return;  // the server gets ours
  forward(other(from_side), frame);
  told_close(other(from_side));
}

// TCP towards or from a side is over; `listens`: from it only, as far as we know.
void Tunnel::lost(Side side, bool listens) {
  Peer& peer = peers_[side];
  Peer& partner = peers_[other(side)];
  if (peer.gone) return;
  if (side == kBackend && reattach_ && reattach_->held()) return held_lost();
  if (listens && peer.close_got && !peer.close_sent) {
    peer.ended = true;
    return;
  }
  peer.gone = true;
  peer.stream->want_read(false);
  if (!ending_) return end(side == kClient ? Cause::client_gone : Cause::backend_gone);
  // Its answer to the Close we passed on will not come: the partner gets it from us.
  bool owed = partner.close_got && !partner.close_sent && !peer.close_got;
  if (side == kClient && close_order_.client_first()) owed = false;
  // Not strict, its code may be one that only a broken peer sends.
  if (owed && partner.close_due == 0)
    partner.close_due = wire::is_close_code_on_wire(close_code_) ? close_code_ : 1000;
  try_close(other(side));
}

// Nothing more is expected of a side, nor told to it: what is queued goes out, then FIN.
void Tunnel::abandon(Side side) {
  Peer& peer = peers_[side];
  peer.gone = true;
  peer.close_due = 0;
  peer.stream->want_read(false);
  peer.stream->finish();
  peer.finished = true;
}

bool Tunnel::over(Side side) const {
  const Peer& peer = peers_[side];
  if (peer.stream->error() == 0 && peer.stream->blocked())
    return false;  // its last bytes are on their way
  return peer.gone || (peer.close_sent && peer.close_got);
}

bool Tunnel::said_all(Side side) const {
  const Peer& peer = peers_[side];
  return peer.close_sent && (peer.close_got || peer.unreadable || peer.gone);
}

// After each handler: ends directions that have said all, and the session once both sides are over.
void Tunnel::settle() {
  if (dead()) return;
  check_leaving();
  if (ending_) {
    if (reattach_) end_held();
    resume_throttled();
    check_close_order();
    for (Side side : {kClient, kBackend}) {
      try_close(side);
      if (said_all(side)) peers_[side].stream->notify();
    }
    if (over(kClient) && over(kBackend)) return conclude();
    for (Side side : {kClient, kBackend}) {
      if (!said_all(side) || peers_[side].finished) continue;
      peers_[side].finished = true;
      peers_[side].stream->finish();
    }
  }
  update_reading();
}

void Tunnel::force_end() {
  if (dead()) return;
  if (!ending_) cause_ = Cause::forced_stop;
  tell_server_at_last();
  conclude();
}

// The one place where a session is over.
void Tunnel::conclude() {
  log_close();
  count_close();
  if (tap_) tap_->end(rules::failure(cause_).word);
  timer_.disarm();
  for (Peer& peer : peers_) {
    peer.stream->notify();  // where it was not done yet
    peer.stream->close();
  }
  lease_.reset();
  ip_hold_ = IpHold();
  leaving_.reset();
  if (reattach_) reattach_->cancel();
  die();
}

// --- the log -------------------------------------------------------------------------------------

void Tunnel::log_open() {
  if (home_.access.on()) home_.access.write(line("open"));
}

// Each interval once, and late rather than twice.
void Tunnel::log_update() {
  if (!route().update_interval) return;
  const auto over = (home_.loop.now() - opened_) / *route().update_interval;
  if (over <= updates_) return;
  updates_ = static_cast<std::uint32_t>(over);
  if (home_.access.on()) home_.access.write(live_line("update"));
}

void Tunnel::log_close() {
  observe::Entry entry = live_line("close");
  // After both Closes what is not acknowledged yet is our Close itself, or is just arriving.
  if (!peers_[kClient].close_got || !peers_[kClient].close_sent) {
    const std::uint64_t undelivered = peers_[kClient].stream->undelivered_bytes();
    entry.traffic->bytes_out -= std::min<std::uint64_t>(entry.traffic->bytes_out, undelivered);
  }
  entry.close_code = close_code_;
  if (close_reason_) entry.close_reason = *close_reason_;
  entry.closed_by = rules::word(rules::ended_by(cause_));
  entry.reason = rules::failure(cause_).word;
  tell_end(home_, cause_, entry);
  if (span_ && home_.tracer != nullptr)
    home_.tracer->finish(*span_, entry, cause_, home_.loop.now());
}

}  // namespace fairlead::edge
