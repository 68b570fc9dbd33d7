// A graceful end: the client gets its Close first, and what it still says passes to the server
// until it has answered. Then the server gets its Close. See rules/close_order.h.

#include <algorithm>

#include "proxy/edge/reattach.h"
#include "proxy/edge/tunnel.h"

namespace fairlead::edge {

// How long an answer to the Close that goes to `to` now is awaited. A process that ends leaves the
// server half of the time that is left.
net::Clock::duration Tunnel::answer_time(Side to) const {
  const net::Clock::duration most = conf::bounds::kCloseWait;
  if (to != kClient || !close_order_.keeps_server() || !home_.draining) return most;
  const net::Clock::duration left = home_.drain_deadline - home_.loop.now();
  return std::clamp(left / 2, net::Clock::duration::zero(), most);
}

// Called by settle(). While a new server is searched the client's last messages wait for that one.
void Tunnel::check_close_order() {
  if (reattach_ && reattach_->held()) return;
  const Peer& client = peers_[kClient];
  if (close_order_.release({client.close_got, client.unreadable, client.gone}, false))
    tell_server();
}

// What was read of the client before its time was up goes in front of the server's Close.
void Tunnel::tell_server() {
  if (reattach_ && reattach_->held()) return held_in_vain(cause_);
  pass_held();
  peers_[kBackend].close_due = rules::failure(cause_).backend_code;
  try_close(kBackend);
}

// The client has not answered in time. What it is within may still be ended: a message where the
// drain leaves time for it, a frame in any case, since no Close can follow half of one.
void Tunnel::answer_overdue() {
  if (!close_order_.release({}, true)) return;
  const net::TimePoint now = home_.loop.now();
  const bool told = peers_[kClient].close_sent;
  tell_server();
  if (!told) {  // the server does not end its own frame: nothing else is to be waited for
    ending_deadline_ = now;
    return;
  }
  ending_deadline_ = now + conf::bounds::kCloseWait;
  if (peers_[kBackend].close_due == 0 || peers_[kBackend].gone) {
    if (!peers_[kClient].gone) abandon(kClient);
  } else if (leaves() && now < leaving_->leave().until) {
    ending_deadline_ = leaving_->leave().until;
  }
}

// There is no more time: the server is told at once.
void Tunnel::tell_server_at_last() {
  if (close_order_.release({}, true)) tell_server();
}

}  // namespace fairlead::edge
