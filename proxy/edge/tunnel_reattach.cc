// A session that outlives its server: the client is held, with its socket open, while the handshake
// is repeated elsewhere (on_backend_loss). It can be done only where neither direction stands
// within a message: nothing is sent twice, and nothing is put together from two servers.

#include "proxy/edge/departures.h"
#include "proxy/edge/reattach.h"
#include "proxy/edge/tunnel.h"
#include "proxy/net/held_stream.h"

namespace fairlead::edge {

using rules::Cause;

namespace {

std::string take_held(net::Stream& stream) {
  return static_cast<net::HeldStream&>(stream).take();
}

}  // namespace

// The backend's servers as of now: a reload may have changed them. Null: it is gone.
std::shared_ptr<balance::Pool> Tunnel::newest_pool() const {
  if (!home_.runtime) return route().pool;
  for (const auto& pool : home_.runtime->pools()) {
    if (pool->name() == route().pool->name()) return pool;
  }
  return nullptr;
}

// All that was begun is ended, and all that went to the server has left.
bool Tunnel::between_messages() const {
  const net::Stream& server = *peers_[kBackend].stream;
  return !half_said(kClient) && !half_said(kBackend) && !server.blocked() && !server.dropped();
}

// As in_message(), but of a side that is gone too.
bool Tunnel::half_said(Side side) const {
  return peers_[side].scanner.mid_frame() || peers_[side].scanner.mid_message();
}

bool Tunnel::may_reattach() const {
  return survives_a_new_server(reattach_->handshake().extensions) && reattach_->may_try() &&
         newest_pool() != nullptr && !home_.refuses_new();
}

// The session is about to end by `cause`. True: it does not, it is held. Otherwise the cause may be
// a better one.
bool Tunnel::held_instead(Cause& cause) {
  if (reattach_->held()) {
    // A graceful end may still find a server for what the client has said.
    if (!rules::is_graceful(cause)) stop_holding();
    return false;
  }
  if (cause != Cause::backend_gone && cause != Cause::backend_dead) return false;
  if (peers_[kBackend].scanner.mid_frame()) return false;  // no Close can be sent either
  const bool possible = may_reattach();
  if (possible && between_messages()) {
    reattach_->why = cause;
    detach(hold());
    return true;
  }
  // Tries used up, or no such backend any more: there is nothing to come back for at once.
  const bool hopeless = !reattach_->may_try() || newest_pool() == nullptr || home_.refuses_new();
  if (!hopeless) cause = Cause::not_reattached;
  return false;
}

// What goes to the server is kept from now on; the server's connection is the caller's.
std::unique_ptr<net::Stream> Tunnel::hold() {
  Peer& backend = peers_[kBackend];
  auto server = std::exchange(backend.stream, std::make_unique<net::HeldStream>(home_.loop));
  backend.waiting = false;
  backend.ping_due = false;
  backend.gone = false;
  peers_[kClient].bulk = false;
  return server;
}

void Tunnel::detach(std::unique_ptr<net::Stream> server) {
  Peer& backend = peers_[kBackend];
  server->close();
  backend.scanner = wire::FrameScanner();
  backend.tail.reset();
  backend.bulk = false;
  const std::shared_ptr<balance::PoolServer> lost = lease_ ? lease_.server_ptr() : nullptr;
  lease_.reset();
  reattach_->search(std::move(server), lost, newest_pool());
}

// The session's server has to be left. True: the session goes on elsewhere, or waits for the end of
// a message.
bool Tunnel::moves_on() {
  if (reattach_->held() && leaving_->leave().leaves_server) {
    leaving_.reset();
    return true;
  }
  if (!may_move_on()) return false;
  if (!between_messages()) return true;
  const net::TimePoint until = home_.loop.now() + conf::bounds::kCloseWait;
  leaving_->told();
  leaving_.reset();
  reattach_->why = Cause::moved;
  const rules::Failure& why = rules::failure(Cause::moved);
  const wire::ControlFrame close = wire::make_close(why.backend_code, why.text, masking(kBackend));
  peers_[kBackend].stream->write(close.span());  // if it fails, reading tells
  reattach_->part(hold(), until);
  read_old_server();
  return true;
}

bool Tunnel::may_move_on() const {
  const Leave& leave = leaving_->leave();
  return leave.leaves_server && leave.cause == Cause::moved && home_.loop.now() < leave.until &&
         !reattach_->held() && may_reattach();
}

void Tunnel::old_server_speaks(net::Stream& server) {
  const std::span<const char> bytes = read_piece(kBackend, server);
  if (tapped()) tap_->see(false, bytes);
  settle();
  read_old_server();
}

// As fast as the client takes it.
void Tunnel::read_old_server() {
  reattach_->read_old(!peers_[kClient].stream->blocked());
}

void Tunnel::old_server_done() {
  parted();
  settle();
}

void Tunnel::held_lost() {
  if (reattach_->state() == Reattach::State::parting) parted();
}

// The old server has said all it had to say, or has had its time.
void Tunnel::parted() {
  if (half_said(kBackend) || newest_pool() == nullptr) return held_in_vain(Cause::moved);
  detach(reattach_->done());
}

// A Close while the session is held. True: it was the old server's answer, and is not passed on. A
// Close of the old server's own ends the session like any other: no new server is looked for.
bool Tunnel::close_while_held(Side from, std::uint16_t code) {
  if (!reattach_->held()) return false;
  if (from == kClient) {
    reattach_->client_closes = !peers_[kBackend].stream->blocked();
    return false;
  }
  if (ending_ || answers_move(code)) {
    parted();
    return true;
  }
  stop_holding();
  return false;
}

// A session that ends while it is held: its server's part is over. What a client said before its
// Close is worth a server still.
void Tunnel::end_held() {
  const bool over = reattach_->client_closes || peers_[kClient].gone;
  if (reattach_->held() && over) held_in_vain(cause_);
}

// No server will be found, or none is needed.
void Tunnel::held_in_vain(Cause cause) {
  stop_holding();
  if (!ending_) return begin_end(cause);
  peers_[kBackend].gone = false;
  lost(kBackend);
}

void Tunnel::stop_holding() {
  reattach_->cancel();
  take_held(*peers_[kBackend].stream);
  peers_[kBackend].gone = true;
  resume_later();
}

void Tunnel::attached(std::unique_ptr<net::Stream> server, balance::Lease lease,
                      const std::string& early) {
  Peer& backend = peers_[kBackend];
  const std::string held = take_held(*backend.stream);
  backend.stream = std::move(server);
  follow_new_server(early);
  backend.heard = home_.loop.now();
  lease_ = std::move(lease);
  if (!backend.stream->write(held)) lost(kBackend);
  if (backend.stream->blocked()) timer_.arm_by(next_stall_look(*backend.stream));
  if (!early.empty()) relay(kBackend, early);
  resume_throttled();
  settle();
  resume_later();
  if (dead()) return;
  timer_.arm_by(next_deadline());
  if (!ending_ && home_.departures != nullptr) home_.departures->on_session(*this);
}

void Tunnel::not_attached(bool differs) {
  held_in_vain(differs ? Cause::not_reattached : reattach_->why);
  settle();
}

void Tunnel::resume() {
  if (reattach_) reattach_->tidy();
}

}  // namespace fairlead::edge
