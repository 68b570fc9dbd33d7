// What a side takes of what was sent to it, and whether it is still there while it is not read:
// judged by what its machine has acknowledged, since the kernel may hold more than we do.

#include <algorithm>

#include "proxy/edge/tunnel.h"

namespace fairlead::edge {

using rules::Cause;

namespace {

// How often a side is looked at that has not got its Close yet: so late, at most, its time for an
// answer begins.
constexpr conf::Millis kCloseLook{250};
// How often a client that is not read is asked whether it is still connected.
constexpr conf::Millis kWatch{2000};

}  // namespace

void Tunnel::check_stall(Side side) {
  net::Stream& stream = *peers_[side].stream;
  if (!stream.is_open() || !stream.blocked()) return;
  if (!stream.stalled(route().settings->timeouts.write_stall)) return;
  end(side == kClient ? Cause::slow_client : Cause::slow_backend);
}

// A side has just been blocked, or still is: when to look at it.
net::TimePoint Tunnel::next_stall_look(const net::Stream& stream) const {
  return stream.next_look(route().settings->timeouts.write_stall);
}

// A client that is not read (it is throttled, the backend does not keep up, a server is searched)
// would be missed neither by a read nor by a Ping. A backend's end may wait behind what it said:
// how long, is a matter of the client's write_stall.
void Tunnel::check_unread_client() {
  Peer& client = peers_[kClient];
  if (client.gone || !client.stream->is_open() || client.stream->reading()) return;
  if (client.stream->broken()) lost(kClient);
}

// It is pinged all the same: what lies between keeps the connection open, and a client that closed
// it answers with a reset, which check_unread_client() sees. Its Pong waits with all it said.
void Tunnel::ping_unread_client(const KeepaliveSettings& settings) {
  Peer& client = peers_[kClient];
  if (!settings.interval) return;
  if (home_.loop.now() < std::max(client.pinged, opened_) + *settings.interval) return;
  client.ping_due = true;
  try_ping(kClient);
  client.ping_due = false;  // else with the next look
  client.ping_untimed = true;
}

void Tunnel::watch_paused_client() {
  timer_.arm_by(home_.loop.now() + kWatch);
}

net::TimePoint Tunnel::next_watch() const {
  const Peer& client = peers_[kClient];
  const bool watched = client.gone || !client.stream->is_open() || client.stream->reading();
  return watched ? net::TimePoint::max() : home_.loop.now() + kWatch;
}

// Data is under way although none was read for long: a side takes its time, and write_stall judges
// that; or we hold the client back ourselves.
bool Tunnel::moves_slowly() const {
  for (const Peer& peer : peers_) {
    if (peer.stream->is_open() && peer.stream->blocked()) return true;
  }
  if (!throttle_ || !throttle_->waiting) return false;
  return !throttle_->held.empty() || peers_[kClient].stream->has_unread();
}

// A Ping that stands behind other bytes: the time for its Pong begins when it has arrived. Until
// then the peer has as long between two bytes that it takes.
void Tunnel::follow_ping(Side side, const KeepaliveSettings& settings) {
  Peer& peer = peers_[side];
  const net::TimePoint now = home_.loop.now();
  if (!is_underway(peer)) return;
  if (now < std::min(peer.stream->next_look(settings.timeout), peer.pinged + settings.timeout))
    return;
  peer.ping_untimed = true;
  if (peer.stream->took_marked()) {
    peer.ping_behind = false;
    peer.pinged = now;
  } else {
    peer.pinged = std::max(peer.pinged, peer.stream->took_last());
  }
}

net::TimePoint Tunnel::next_ping_look(Side side, const KeepaliveSettings& settings) const {
  const Peer& peer = peers_[side];
  return is_underway(peer) ? peer.stream->next_look(settings.timeout) : net::TimePoint::max();
}

// The Close has been written to a side.
void Tunnel::told_close(Side side) {
  peers_[side].close_sent = true;
  timer_.arm_by(home_.loop.now() + kCloseLook);
}

// Something written at an ending is still on its way to a side that takes it.
bool Tunnel::still_takes(Side side) {
  const Peer& peer = peers_[side];
  net::Stream& stream = *peer.stream;
  if (!stream.is_open() || stream.error() != 0) return false;
  // A side that is gone is given what was queued, as long as it takes it at all.
  const bool awaited = peer.close_sent && !peer.close_got && !peer.gone;
  if (!awaited && !stream.blocked()) return false;
  // Who has sent its Close may still be told things, by a backend that goes on for ever, too.
  const net::TimePoint most = ending_since_ + route().settings->timeouts.write_stall;
  if (peer.close_got && home_.loop.now() >= most) return false;
  if (stream.undelivered() == 0) return false;
  return !stream.stalled(peer.gone ? conf::bounds::kCloseWait
                                   : route().settings->timeouts.write_stall);
}

// The time for a side's answer begins once its Close has left.
void Tunnel::await_delivery() {
  net::TimePoint look = net::TimePoint::max();
  const net::TimePoint now = home_.loop.now();
  for (Side side : {kClient, kBackend}) {
    if (!still_takes(side)) continue;
    const net::TimePoint from = peers_[side].gone ? peers_[side].stream->took_last() : now;
    ending_deadline_ = std::max(ending_deadline_, from + answer_time(side));
    look = now + kCloseLook;
  }
  timer_.arm_by(std::min(look, ending_deadline_));
}

}  // namespace fairlead::edge
