// How a client's connection ends: our own answers, the client's leaving, the drain; and its log
// lines.

#include "proxy/edge/connection.h"
#include "proxy/edge/tracer.h"
#include "proxy/edge/tunnel.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

using rules::Cause;

// After the last answer: how long the client may take to read it and go; and where it still sends
// what was asked before the answer, to come to that.
constexpr conf::Millis kLinger{2000};
constexpr conf::Millis kLingerUpload{10'000};

}  // namespace

std::string Connection::new_request_id() {
  const std::uint64_t high = home_.random.next();
  return rules::make_request_id(high, home_.random.next());
}

// Answers in our own words. `request` is null when none could be read.
void Connection::answer(Cause cause, Request* request, conf::Millis retry_after,
                        std::string_view location) {
  home_.waiting.leave(*this);
  timer_.disarm();
  const rules::Failure& why = rules::failure(cause);
  OwnAnswer own;
  own.cause = cause;
  std::string id = request != nullptr ? request->request_id : new_request_id();
  own.request_id = id;
  if (request != nullptr) own.request = &request->head;
  own.keep_alive = !why.close_connection && may_keep(request);
  own.retry_after = retry_after;
  own.location = location;
  std::string out;
  std::size_t body = write_answer(own, out);
  bool sent = client_->write(out);
  log_http(cause, why.status, body, request, id);
  if (!sent) return vanish();
  if (!own.keep_alive) return close_gently();
  phase_ = Phase::between;
  resume_later();
}

// Whether another request may follow this one. None may where the rest of this one's body, or what
// a client sent behind a handshake that failed, could be taken for it.
bool Connection::may_keep(const Request* request) const {
  if (request == nullptr || !request->keep_alive || home_.keeps_none()) return false;
  if (request->websocket && !in_.empty()) return false;
  if (half_closed_ && in_.empty()) return false;
  if (exchange_ && request == &exchange_->request()) return exchange_->upload_complete();
  return wire::BodyScanner(request->body).state() == wire::BodyScanner::State::complete;
}

// Ends our direction and waits a little for the client's: closing at once, with its bytes unread,
// would reset the connection and take the answer away from it (RFC 9112 9.6).
void Connection::close_gently() {
  phase_ = Phase::closing;
  closing_since_ = home_.loop.now();
  upload_unread_ = exchange_ && !exchange_->upload_complete();
  in_.clear();
  client_->finish();
  if (half_closed_ && !client_->blocked()) return vanish();
  client_->want_read(!half_closed_);
  timer_.arm(linger_until());
  resume_later();
}

// The last answer is out, but perhaps still on its way: a client that takes it has its time to go
// from when it has it all.
void Connection::linger() {
  const net::TimePoint now = home_.loop.now();
  if (client_->error() == 0 && client_->undelivered() != 0) {
    if (client_->stalled(write_stall())) return vanish();
    closing_since_ = now;
    return timer_.arm(client_->next_look(write_stall()));
  }
  if (now >= linger_until()) return vanish();
  timer_.arm(linger_until());
}

net::TimePoint Connection::linger_until() const {
  if (client_->blocked()) return client_->next_look(write_stall());
  return closing_since_ + (upload_unread_ ? kLingerUpload : kLinger);
}

void Connection::vanish() {
  timer_.disarm();
  home_.waiting.leave(*this);
  if (exchange_) exchange_->cancel();
  if (client_) client_->close();
  give_place_back();
  die();
}

void Connection::client_ended(bool clean) {
  if (clean && still_waits()) return half_close();
  switch (phase_) {
    case Phase::proxy_header:
      if (!in_.empty()) log_http(Cause::bad_proxy_header, 0, 0, nullptr);
      break;
    case Phase::tls: {
      if (!client_->tls()->begun()) break;  // a check whether the port is open
      observe::log_debug("{}: TLS handshake with {} failed: {}", listener().name, peer_.ip.text(),
                         client_->failure_text());
      log_http(Cause::tls_handshake_failed, 0, 0, nullptr);
      break;
    }
    case Phase::head:
      if (!in_.empty()) log_http(Cause::client_left, 0, 0, nullptr);
      break;
    case Phase::exchange:
      log_exchange(Cause::client_left);
      break;
    case Phase::between:
    case Phase::closing:
      break;
  }
  vanish();
}

void Connection::drain(net::TimePoint) {
  // A connection that waits for a request is closed when it has had one; a fresh one gets its 503,
  // or its answer after a hand-over. So does what has come already and was not read yet.
  const auto idle = [this] {
    return !dead() && phase_ == Phase::head && !first_request_ && in_.empty();
  };
  if (idle()) on_readable(*client_);
  if (idle()) vanish();
}

void Connection::force_end() {
  if (dead()) return;
  if (phase_ == Phase::exchange) log_exchange(Cause::forced_stop);
  vanish();
}

// `answer_id`: the X-Request-Id of our answer, where no request could be read that has one.
Identity Connection::make_identity(const Request* request, const wire::Agreed* agreed,
                                   std::string_view answer_id) const {
  Identity identity;
  identity.conn_id = conn_id_;
  identity.listener = &listener();
  identity.client_ip = request != nullptr ? request->client.ip : peer_.ip;
  identity.has_ip = !peer_.unix_socket || identity.client_ip != conf::Ip{};
  observe::LogText::Items items{};
  items[observe::LogText::request_id] = answer_id;
  if (request != nullptr) {
    identity.route = request->route;
    items[observe::LogText::request_id] = request->request_id;
    items[observe::LogText::host] = request->head.host;
    items[observe::LogText::path] = request->head.path;
    items[observe::LogText::origin] = request->head.fields.get("Origin");
  }
  if (agreed != nullptr) {
    items[observe::LogText::subprotocol] = agreed->subprotocol;
    items[observe::LogText::extensions] = agreed->extensions;
  }
  if (client_->tls() != nullptr) items[observe::LogText::sni] = client_->tls()->sni();
  identity.text = observe::LogText(items);
  return identity;
}

void Connection::log_exchange(Cause cause) {
  log_http(cause, rules::logged_status(cause, exchange_->status()),
           exchange_->bytes_out(cause != Cause::done), &exchange_->request());
}

// One line for each request that did not become a session, and for a connection that never came to
// one.
void Connection::log_http(Cause cause, int status, std::uint64_t body_bytes, const Request* request,
                          std::string_view answer_id) {
  count_http(cause, status, request);
  const observe::Span* span = request != nullptr ? request->span.get() : nullptr;
  if (!home_.access.on() && !observe::RecentEnds::wants(cause) && span == nullptr) return;
  Identity identity = make_identity(request, nullptr, answer_id);
  observe::Entry entry = make_entry("http", identity);
  entry.status = status;
  if (client_->tls() != nullptr) entry.tls = client_->tls()->version();
  net::TimePoint began = request != nullptr ? request->began : began_;
  if (request != nullptr) entry.method = request->head.method;
  if (exchange_ && request == &exchange_->request()) {
    entry.server = exchange_->server_name();
    entry.bytes_in = exchange_->bytes_in();
    entry.detail = exchange_->detail();
  }
  entry.duration_ms = std::chrono::duration<double, std::milli>(home_.loop.now() - began).count();
  entry.bytes_out = body_bytes;
  entry.reason = rules::failure(cause).word;
  tell_end(home_, cause, entry);
  if (span != nullptr && home_.tracer != nullptr)
    home_.tracer->finish(*span, entry, cause, home_.loop.now());
}

}  // namespace fairlead::edge
