// A session that has to go although nothing is wrong with it: it ends between two messages. The
// client is told where a message of the backend's ends; what the client was saying is let finish
// towards the backend.

#include <algorithm>

#include "proxy/edge/departures.h"
#include "proxy/edge/reattach.h"
#include "proxy/edge/tunnel.h"

namespace fairlead::edge {

using rules::Cause;

bool Tunnel::matches(const Scope& scope) const {
  switch (scope.kind) {
    case Scope::Kind::all:
      return true;
    case Scope::Kind::listener:
      return identity_.listener != nullptr && identity_.listener->name == scope.name;
    case Scope::Kind::route:
      return route().settings->name == scope.name;
    case Scope::Kind::server:
      return lease_ && &lease_.server() == scope.server.get();
  }
  return false;
}

// The process's end goes before all else; of two drains the one whose time comes first.
bool Tunnel::leave(Leave leave) {
  if (dead() || ending_) return false;
  if (leaving_) {
    const Leave& first = leaving_->leave();
    const bool sooner =
        leave.cause == first.cause && leave.cause == Cause::moved && leave.at < first.at;
    if (first.final || (!leave.final && (!sooner || leaving_->due))) return false;
    leaving_->given_up();
  }
  net::TimePoint at = leave.at;
  leaving_ = std::make_unique<Leaving>(std::move(leave));
  timer_.arm_by(at);
  return true;
}

bool Tunnel::stay(std::uint32_t job) {
  if (dead() || ending_ || !leaving_ || leaving_->leave().job != job) return false;
  leaving_->given_up();
  leaving_.reset();
  return true;
}

bool Tunnel::close(Cause cause) {
  if (dead() || ending_) return false;
  const net::TimePoint now = home_.loop.now();
  const net::TimePoint until = now + conf::bounds::kCloseWait;
  leaving_ = std::make_unique<Leaving>(Leave{.cause = cause, .at = now, .until = until});
  timer_.arm_by(until);
  settle();
  return true;
}

void Tunnel::drain(net::TimePoint deadline) {
  if (dead()) return;
  net::TimePoint now = home_.loop.now();
  leave({.cause = Cause::stopping, .at = now, .until = deadline, .final = true});
  check_leaving();
  settle();
}

// Is it time, and is this the end of a message?
void Tunnel::check_leaving() {
  if (!leaving_ || ending_) return;
  const Leave& leave = leaving_->leave();
  net::TimePoint now = home_.loop.now();
  if (!leaving_->due) {
    if (now < leave.at) return;
    if (leave.min_idle.count() != 0 && now < last_data_ + leave.min_idle) return stay_after_all();
    leaving_->due = true;
  }
  if (reattach_ && moves_on()) return;
  if (in_message(kBackend) && now < leave.until) return;
  leave_now();
}

// It was not idle any more. A drain that found it taken may have it now.
void Tunnel::stay_after_all() {
  leaving_->given_up();
  leaving_.reset();
  if (home_.departures != nullptr) home_.departures->on_session(*this);
}

void Tunnel::leave_now() {
  const Leave& leave = leaving_->leave();
  leaving_->told();
  end(leave.cause);
  bool due = peers_[kClient].close_due != 0 || peers_[kBackend].close_due != 0;
  if (due) ending_deadline_ = std::max(ending_deadline_, leave.until);
}

net::TimePoint Tunnel::next_leaving() const {
  const Leave& leave = leaving_->leave();
  return leaving_->due ? leave.until : leave.at;
}

// No message may begin that the session's end would cut off.
bool Tunnel::begins_no_more(Side side) const {
  if (!leaving_ || !leaving_->due) return false;
  if (!ending_) return side == kBackend && !(reattach_ && may_move_on());
  const Peer& to = peers_[other(side)];
  return leaves() && to.close_due != 0 && !to.gone;
}

// The message that would begin next waits for ever: this is the boundary.
void Tunnel::leave_before(Side side) {
  if (!ending_) leave_now();
  try_close(other(side), true);
}

bool Tunnel::leaves() const {
  return leaving_ && leaving_->due && ending_ && cause_ == leaving_->leave().cause;
}

// A message of this side is under way, and lets a session that leaves wait.
bool Tunnel::in_message(Side side) const {
  const Peer& peer = peers_[side];
  if (peer.scanner.mid_frame()) return true;
  return peer.scanner.mid_message() && !peer.close_got && !peer.unreadable && !peer.gone;
}

}  // namespace fairlead::edge
