// A session somebody looks at: its streams' events come by way of a SessionTap.

#include <cassert>

#include "proxy/edge/tunnel.h"

namespace fairlead::edge {

bool Tunnel::watch(std::unique_ptr<SessionTap> tap) {
  if (dead() || tapped()) return false;
  tap_ = std::move(tap);
  tap_->begin(*this, peers_[kClient].scanner.frame_remaining(),
              peers_[kBackend].scanner.frame_remaining());
  for (Side side : {kClient, kBackend}) {
    Peer& peer = peers_[side];
    peer.stream->set_handler(*tap_);
    peer.spliced = false;  // what passes through a pipe is not seen
    if (peer.tail) tap_->see(side == kClient, *peer.tail);
  }
  if (throttle_) tap_->see(true, throttle_->held);
  return true;
}

// The backend's stream is another one, whose frames begin with `early`.
void Tunnel::follow_new_server(std::string_view early) {
  net::Stream& server = *peers_[kBackend].stream;
  if (!tapped()) {
    server.set_handler(*this);
    return set_splicing();
  }
  server.set_handler(*tap_);
  tap_->begin_backend();
  if (!early.empty()) tap_->see(false, early);
}

// The tap itself stays until another comes or the session ends: this may be its handler.
void Tunnel::unwatch() {
  for (Peer& peer : peers_) peer.stream->set_handler(*this);
  set_splicing();
}

void Tunnel::read_tapped(net::Stream& stream) {
  assert(home_.loop.in_thread());
  if (!tap_->wanted()) {
    unwatch();
    return on_readable(stream);
  }
  const Side side = side_of(stream);
  const std::span<const char> bytes = read_piece(side, stream);
  tap_->see(side == kClient, bytes);
  settle();
}

std::string Tunnel::opening_line() const {
  std::string out;
  observe::append_line(line("open"), std::chrono::system_clock::now(), out);
  out.pop_back();
  return out;
}

}  // namespace fairlead::edge
