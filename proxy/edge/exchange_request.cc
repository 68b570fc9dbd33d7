// The request on its way to a server: head and what is there of the body in one send, then the body
// as it comes.

#include "proxy/edge/exchange.h"
#include "proxy/rules/connection_auth.h"

namespace fairlead::edge {

using rules::Cause;
using BodyState = wire::BodyTransfer::State;

void Exchange::start() {
  // What has come already and cannot be a body reaches no server.
  if (!request_->websocket && upload_.probe(owner_.ahead()) == BodyState::error)
    return refuse(Cause::malformed_request);
  balance::Preference preference =
      binding_.find(request_->head, request_->peer, request_->client, home_.loop.now());
  if (const std::size_t own = prefer_pinned(); own != balance::kNoServer) preference.server = own;
  if (request_->websocket &&
      request_->route->settings->on_backend_loss == conf::Route::OnBackendLoss::reattach) {
    handshake_ = std::make_unique<Handshake>();
    handshake_->key = preference.key;
  }
  if (request_->websocket) return dial(preference, Dial::Reuse::no);
  const bool again = wire::is_idempotent(request_->head.method) && upload_complete();
  dial(preference, again ? Dial::Reuse::yes : Dial::Reuse::probed);
}

// The server that this client has a connection of its own to, if the request may go there. One that
// it does not go to is given up: its client has turned to something else.
std::size_t Exchange::prefer_pinned() {
  private_ = rules::binds_connection(request_->head);
  PinnedServer& pinned = owner_.pinned();
  const std::size_t server = pinned.index_in(*request_->route->pool);
  if (server == balance::kNoServer) {
    pinned.drop();
  } else {
    private_ = true;
    dial_.use_first(&pinned);
  }
  return server;
}

void Exchange::dial(const balance::Preference& preference, Dial::Reuse reuse) {
  dial_.start(request_->route->pool, preference, timeouts().connect, reuse);
}

void Exchange::on_dial_failed(Cause cause) {
  if (!dial_.failed_server().empty()) server_name_ = dial_.failed_server();
  detail_ = dial_.failure();
  refuse(cause);
}

void Exchange::on_dialed(std::unique_ptr<net::Stream> stream, balance::Lease lease, bool reused) {
  lease_ = std::move(lease);
  server_name_ = lease_.server().name;
  backend_ = std::move(stream);
  reused_ = reused;
  if (request_->span) request_->span->connected = home_.loop.now();
  backend_->set_handler(*this);
  send_request();
}

void Exchange::send_request() {
  std::string& out = home_.scratch;
  out.clear();
  rules::ForwardRequest forward{
      request_->head,       request_->peer,      request_->client, *request_->route->settings,
      request_->request_id, request_->websocket, request_->body};
  if (request_->trace) forward.trace = &*request_->trace;
  forward.hop = home_.hop;
  rules::write_backend_request(forward, out);
  if (handshake_) handshake_->head = out;
  std::string& ahead = owner_.ahead();
  if (uploading() && !ahead.empty()) {
    ahead.erase(0, upload_.append(ahead, out));
    body_begun_ = true;
  }
  sent_ = home_.loop.now();
  backend_->want_read(true);
  if (!backend_->write(out)) return backend_broke();
  if (request_->body.kind != wire::Framing::Kind::none) owner_.update_reading();
  arm();
}

bool Exchange::holds_body() const {
  return uploading() && backend_ && (upload_broken_ || flushing_ || backend_->blocked());
}

std::uint64_t Exchange::body_to_come() const {
  return over_ || !backend_ || holds_body() ? 0 : upload_.remaining();
}

std::size_t Exchange::take_body(std::span<char> bytes) {
  if (over_ || !uploading() || !backend_ || holds_body()) return 0;
  const wire::BodyTransfer::Passed passed = upload_.pass(bytes);
  if (upload_.state() == BodyState::error) {
    if (answer_) {
      complete(Cause::malformed_request);
    } else {
      refuse(Cause::malformed_request);
    }
    return bytes.size();
  }
  body_begun_ = true;
  sent_ = home_.loop.now();
  if (const auto& rate = timeouts().min_body_rate)
    body_rate_.moved(passed.taken, rate->per_second, sent_);
  const bool sent = backend_->write(passed.out) && backend_->write(upload_.tail());
  if (!sent) {
    backend_broke();
  } else {
    arm();
  }
  return passed.taken;
}

// The server takes nothing any more. Either it closed a connection that was idle, or it has said,
// or is about to say, why it does not want the rest: reading finds out.
void Exchange::backend_broke() {
  if (may_retry()) return retry();
  upload_broken_ = true;
  owner_.update_reading();
  arm();
}

// Only on a connection that may have been given up by the server before it saw the request (RFC
// 9112 9.3.1), and only what may be done twice.
bool Exchange::may_retry() const {
  return reused_ && !heard_ && !body_begun_ && wire::is_idempotent(request_->head.method);
}

void Exchange::retry() {
  const std::size_t server = lease_.index();
  backend_->close();
  stale_ = std::move(backend_);
  reused_ = false;
  lease_.reset();
  timer_.disarm();
  dial(server, Dial::Reuse::no);
}

}  // namespace fairlead::edge
