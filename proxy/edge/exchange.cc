#include "proxy/edge/exchange.h"

#include <cassert>

#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

using rules::Cause;

constexpr wire::HeadLimits kLimits{conf::bounds::kHeadBytes, conf::bounds::kHeadFields};
constexpr unsigned kMaxInterim = 8;  // 1xx answers before the real one

}  // namespace

Exchange::Exchange(Home& home, Owner& owner, std::unique_ptr<Request> request)
    : home_(home),
      owner_(owner),
      request_(std::move(request)),
      busy_(home),
      binding_(*request_->route->pool),
      dial_(home.loop, *this),
      timer_(home.loop.timers(), *this),
      scanner_(kLimits) {}

Exchange::~Exchange() = default;

void Exchange::start() {
  const balance::Preference preference =
      binding_.find(request_->head, request_->peer, request_->client, home_.loop.now());
  dial_.start(request_->route->pool, preference, timeouts().connect);
}

void Exchange::on_dial_failed(Cause cause) {
  refuse(cause);
}

void Exchange::on_dialed(std::unique_ptr<net::Stream> stream, balance::Lease lease) {
  lease_ = std::move(lease);
  server_name_ = lease_.server().name;
  backend_ = std::move(stream);
  backend_->set_handler(*this);
  std::string head;
  rules::write_backend_request(
      {request_->head, request_->peer, request_->client, *request_->route->settings,
       request_->request_id, request_->websocket},
      head);
  if (!backend_->write(head)) return refuse(Cause::backend_unreachable);
  backend_->want_read(true);
  timer_.arm(home_.loop.now() + timeouts().response_head);
}

void Exchange::on_readable(net::Stream& stream) {
  if (over_) return;
  std::span<char> buffer = home_.loop.relay_buffer();
  net::ReadResult got = stream.read(buffer);
  std::string_view bytes(buffer.data(), got.n);
  if (!bytes.empty()) {
    if (body_) {
      relay_body(bytes);
    } else {
      read_head(bytes);
    }
  }
  if (!over_ && got.status != net::IoStatus::ok) backend_ended(got.status == net::IoStatus::eof);
}

void Exchange::read_head(std::string_view bytes) {
  while (!over_ && !body_) {
    std::size_t before = answer_.size();
    wire::HeadScanner::State state = scanner_.feed(bytes);
    if (state == wire::HeadScanner::State::error) return refuse(Cause::backend_bad_answer);
    if (state == wire::HeadScanner::State::more) {
      answer_.append(bytes);
      return;
    }
    std::size_t taken = scanner_.size() - before;
    answer_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    std::string head = std::move(answer_);
    answer_.clear();
    scanner_ = wire::HeadScanner(kLimits);
    on_head(head, bytes);
    if (bytes.empty()) return;
  }
}

void Exchange::on_head(std::string_view bytes, std::string_view rest) {
  wire::ResponseHead head;
  if (wire::parse_response(bytes, head) != wire::HeadError::none)
    return refuse(Cause::backend_bad_answer);
  if (head.status == 101) return switch_protocols(head, rest);
  if (head.status <
      200) {  // 100 and 103 say nothing the client waits for (RFC 9110 15.2: may be discarded)
    if (++interim_ > kMaxInterim) refuse(Cause::backend_bad_answer);
    return;
  }
  begin_body(head, rest);
}

void Exchange::switch_protocols(const wire::ResponseHead& head, std::string_view rest) {
  if (!request_->websocket) return refuse(Cause::backend_bad_answer);
  agreed_ = wire::check_answer(request_->head, head);
  if (!agreed_.ok) {
    observe::log_warn("backend \"{}\": {} sent a bad 101: {}", request_->route->pool->name(),
                      server_name_, agreed_.why);
    return refuse(Cause::backend_bad_answer);
  }
  status_ = 101;
  std::string out;
  std::string cookie = binding_.set_cookie(lease_.index(), request_->client.secure);
  rules::ForwardResponse response{head, request_->request_id, cookie};
  response.websocket = true;
  rules::write_client_response(response, out);
  early_.assign(rest);
  over_ = true;
  timer_.disarm();
  backend_->want_read(false);
  if (!owner_.client().write(out)) return owner_.exchange_done(Cause::client_left);
  answered_ = true;
  owner_.exchange_switched();
}

void Exchange::begin_body(const wire::ResponseHead& head, std::string_view rest) {
  wire::ResponseFraming framing = wire::response_framing(head, request_->head.method);
  if (!framing.ok) return refuse(Cause::backend_bad_answer);
  bool chunked = framing.framing.kind == wire::Framing::Kind::chunked;
  // A client of HTTP/1.0 knows no chunks (RFC 9112 7.1): it is asked to come with 1.1.
  if (chunked && request_->head.minor_version == 0) return refuse(Cause::unsupported_http_version);
  until_close_ = framing.framing.kind == wire::Framing::Kind::until_close;
  if (until_close_) request_->keep_alive = false;
  status_ = head.status;
  body_.emplace(framing.framing);
  binding_.on_answer_head(head, chunked);
  std::string out;
  std::string cookie = binding_.set_cookie(lease_.index(), request_->client.secure);
  rules::ForwardResponse response{head, request_->request_id, cookie};
  response.keep_alive = request_->keep_alive;
  response.keep_transfer_encoding = chunked;
  rules::write_client_response(response, out);
  answered_ = true;
  if (!owner_.client().write(out)) return complete(Cause::client_left);
  relay_body(rest);
}

// Bytes pass as they came; the scanner says where the body ends, so that nothing behind it does.
void Exchange::relay_body(std::string_view bytes) {
  std::size_t n = body_->scan(bytes);
  binding_.on_answer_body(bytes.substr(0, n), lease_.index(), home_.loop.now());
  if (n != 0 && !owner_.client().write(bytes.substr(0, n))) return complete(Cause::client_left);
  if (body_->state() == wire::BodyScanner::State::error) return complete(Cause::backend_bad_answer);
  if (body_->state() == wire::BodyScanner::State::complete) return complete(Cause::done);
  bool blocked = owner_.client().blocked();
  backend_->want_read(!blocked);
  timer_.arm(home_.loop.now() + (blocked ? timeouts().write_stall : timeouts().response_head));
}

void Exchange::on_client_drained() {
  if (over_ || !body_) return;
  backend_->want_read(true);
  timer_.arm(home_.loop.now() + timeouts().response_head);
}

void Exchange::on_drained(net::Stream& stream) {
  if (!over_ && stream.error() != 0) backend_ended(false);
}

void Exchange::backend_ended(bool clean) {
  if (!body_) return refuse(Cause::backend_unreachable);
  // Only a body delimited by the connection's end may end with it (RFC 9112 8).
  complete(clean && until_close_ ? Cause::done : Cause::backend_gone);
}

void Exchange::on_timer(net::Timer&) {
  if (over_) return;
  if (!body_) return refuse(Cause::backend_answer_timeout);
  if (!owner_.client().blocked()) return complete(Cause::backend_answer_timeout);
  net::TimePoint give_up = owner_.client().stalled_since() + timeouts().write_stall;
  if (home_.loop.now() >= give_up) return complete(Cause::slow_client);
  timer_.arm(give_up);
}

void Exchange::cancel() {
  over_ = true;
  timer_.disarm();
  dial_.cancel();
  if (backend_) backend_->close();
  lease_.reset();
}

void Exchange::refuse(Cause cause) {
  cancel();
  owner_.exchange_refused(cause);
}

void Exchange::complete(Cause cause) {
  cancel();
  owner_.exchange_done(cause);
}

}  // namespace fairlead::edge
