// The answer on its way to the client: interim answers, the head with the first of the body in one
// send, then the body as it comes.

#include "proxy/edge/complain.h"
#include "proxy/edge/exchange.h"
#include "proxy/net/socket.h"
#include "proxy/observe/log.h"
#include "proxy/rules/connection_auth.h"

namespace fairlead::edge {
namespace {

using rules::Cause;
using Kind = wire::Framing::Kind;

constexpr wire::HeadLimits kLimits{conf::bounds::kHeadBytes, conf::bounds::kHeadFields};
constexpr unsigned kMaxInterim = 16;  // 1xx answers before the real one
// So much of a body is copied to leave with the head; more is worth a send of its own.
constexpr std::size_t kWithHead = 16 * 1024;

constexpr const char* kTwoFramings = "it has Content-Length and Transfer-Encoding";
constexpr const char* kBadChunks = "its chunked coding is not valid";

// Some servers read no body behind such a method, whatever the head says, and would take it for the
// next request on the connection.
bool has_odd_body(const Request& request) {
  const std::string_view method = request.head.method;
  return request.body.kind != Kind::none && wire::is_idempotent(method) && method != "PUT";
}

std::string_view text(std::span<const char> bytes) {
  return {bytes.data(), bytes.size()};
}

}  // namespace

void Exchange::read_head(std::span<char> bytes) {
  while (!over_ && !answer_ && !bytes.empty()) {
    const std::size_t before = head_bytes_.size();
    const wire::HeadScanner::State state = scanner_.feed(text(bytes));
    if (state == wire::HeadScanner::State::error) return bad_answer(scanner_.flaw());
    if (state == wire::HeadScanner::State::more) {
      head_bytes_.append(text(bytes));
      return;
    }
    const std::size_t taken = scanner_.size() - before;
    scanner_ = wire::HeadScanner(kLimits, wire::HeadScanner::Of::answer);
    const std::span<char> rest = bytes.subspan(taken);
    if (before == 0) {
      on_head(text(bytes.first(taken)), rest);
    } else {
      std::string head = std::move(head_bytes_);
      head_bytes_.clear();
      on_head(head.append(text(bytes.first(taken))), rest);
    }
    bytes = rest;
  }
}

void Exchange::on_head(std::string_view bytes, std::span<char> rest) {
  wire::ResponseHead head;
  if (wire::parse_response(bytes, head) != wire::HeadError::none) return bad_answer(head.flaw);
  if (head.status == 101) return switch_protocols(head, text(rest));
  if (head.status < 200) return pass_interim(head);
  begin_answer(head, rest);
}

// Once in the log, and not passed on: what of it was sent already is cut off.
void Exchange::bad_answer(const char* flaw) {
  detail_ = flaw;
  tell_bad_answer(lease_, flaw, home_.loop.now());
  if (answer_) return complete(Cause::backend_bad_answer);
  refuse(Cause::backend_bad_answer);
}

// RFC 9110 15.2: passed on, but not to a client of HTTP/1.0, nor to one that waits for its 101.
void Exchange::pass_interim(const wire::ResponseHead& head) {
  const wire::ResponseFraming framing = wire::response_framing(head, request_->head.method);
  if (!framing.ok) return bad_answer(kTwoFramings);
  if (++interim_ > kMaxInterim) return bad_answer("it sent too many interim answers");
  contradicted_ = contradicted_ || framing.contradicted;
  if (request_->head.minor_version == 0 || request_->websocket) return;
  if (head.status == 100) continued_ = true;
  sent_ = home_.loop.now();
  std::string& out = home_.scratch;
  out.clear();
  rules::write_client_interim(head, out);
  if (!owner_.client().write(out)) return complete(Cause::client_left);
  if (owner_.client().blocked()) backend_->want_read(false);
  arm();
}

void Exchange::switch_protocols(const wire::ResponseHead& head, std::string_view rest) {
  if (!request_->websocket) return bad_answer("a 101 that nobody asked for");
  agreed_ = wire::check_answer(request_->head, head);
  if (!agreed_.ok) {
    if (agreed_.servers_fault) lease_.pool().failed(lease_.index(), home_.loop.now(), agreed_.why);
    return bad_answer(agreed_.why);
  }
  lease_.pool().succeeded(lease_.index(), home_.loop.now());
  std::string out;
  std::string cookie = binding_.set_cookie(lease_.index(), request_->client.secure);
  rules::ForwardResponse response{head, request_->request_id, cookie};
  response.websocket = true;
  rules::write_client_response(response, out);
  early_.assign(rest);
  if (handshake_) {
    handshake_->subprotocol = agreed_.subprotocol;
    handshake_->extensions = agreed_.extensions;
  }
  over_ = true;
  timer_.disarm();
  backend_->want_read(false);
  if (!owner_.client().write(out)) return owner_.exchange_done(Cause::client_left);
  status_ = 101;
  owner_.exchange_switched();
}

void Exchange::begin_answer(const wire::ResponseHead& head, std::span<char> rest) {
  const wire::ResponseFraming framing = wire::response_framing(head, request_->head.method);
  if (!framing.ok) return bad_answer(kTwoFramings);
  const wire::Framing out = outgoing(framing.framing);
  wire::BodyTransfer body(framing.framing, out.kind);
  if (body.probe(text(rest)) == wire::BodyTransfer::State::error) return bad_answer(kBadChunks);
  if (!reused_) lease_.pool().succeeded(lease_.index(), home_.loop.now());
  until_close_ = framing.framing.kind == Kind::until_close;
  endless_ = until_close_ || framing.framing.kind == Kind::chunked;
  contradicted_ = contradicted_ || framing.contradicted;
  note_reuse(head, framing.framing);
  // Answered before it has come in full: what is still to come must not be taken for a request.
  if (!upload_complete() || home_.keeps_none()) request_->keep_alive = false;
  // Nor what a client sent behind a handshake that failed.
  if (request_->websocket && !owner_.ahead().empty()) request_->keep_alive = false;
  answer_.emplace(std::move(body));
  std::string& text_out = home_.scratch;
  text_out.clear();
  send_answer_head(head, out);
  std::size_t taken = 0;
  const bool together = rest.size() <= kWithHead;
  binding_.on_answer_head(head, framing.framing.kind == Kind::chunked);
  if (together) {
    binding_.on_answer_body(text(rest), lease_.index(), home_.loop.now());
    taken = answer_->append(rest, text_out);
  }
  if (!owner_.client().write(text_out)) return complete(Cause::client_left);
  status_ = head.status;
  if (!together) return relay_answer(rest);
  after_answer_bytes(taken == rest.size());
}

// To HTTP/1.0, which knows no chunks, a body of unknown length is delimited by the close; to
// HTTP/1.1 by chunks, so that it cannot be taken for whole when it is not (RFC 9112 8).
wire::Framing Exchange::outgoing(const wire::Framing& body) {
  if (body.kind == Kind::none || body.kind == Kind::length) return body;
  if (request_->head.minor_version == 1) return {Kind::chunked, 0};
  request_->keep_alive = false;
  return {Kind::until_close, 0};
}

void Exchange::send_answer_head(const wire::ResponseHead& head, const wire::Framing& body) {
  const std::string cookie = binding_.set_cookie(lease_.index(), request_->client.secure);
  rules::ForwardResponse response{head, request_->request_id, cookie};
  response.keep_alive = request_->keep_alive;
  response.body = body;
  rules::write_client_response(response, home_.scratch);
}

// Whether the server's connection can serve again once this answer is over (RFC 9112 9.3). After a
// handshake that failed it is not asked for anything else, unless by the same client: NTLM needs
// several requests on one connection, handshakes too.
void Exchange::note_reuse(const wire::ResponseHead& head, const wire::Framing& body) {
  private_ = private_ || rules::binds_connection(head);
  const bool persists = head.minor_version == 1 && body.kind != Kind::until_close &&
                        !head.fields.has_token("Connection", "close") &&
                        (private_ || !request_->websocket) && !has_odd_body(*request_) &&
                        !contradicted_;
  if (persists) keep_ = idle_time(head.fields.get("Keep-Alive"));
}

void Exchange::relay_answer(std::span<char> bytes) {
  binding_.on_answer_body(text(bytes), lease_.index(), home_.loop.now());
  const wire::BodyTransfer::Passed passed = answer_->pass(bytes);
  net::Stream& client = owner_.client();
  if (!client.write(passed.out) || !client.write(answer_->tail()))
    return complete(Cause::client_left);
  after_answer_bytes(passed.taken == bytes.size());
}

void Exchange::after_answer_bytes(bool all_taken) {
  if (answer_->state() == wire::BodyTransfer::State::error) return bad_answer(kBadChunks);
  if (answer_->state() == wire::BodyTransfer::State::complete) return answer_complete(all_taken);
  const bool blocked = owner_.client().blocked();
  backend_->want_read(!blocked);
  if (blocked) arm();
}

void Exchange::answer_complete(bool all_taken) {
  release_backend(all_taken);
  if (!owner_.client().blocked()) return complete(Cause::done);
  flushing_ = true;
  owner_.update_reading();
  arm();
}

// Back to the pool, if nothing of either message is left on it; what the server said beyond its
// answer would be taken for the next one.
void Exchange::release_backend(bool all_taken) {
  const bool clean = all_taken && upload_complete() && !upload_broken_ && !backend_->blocked() &&
                     !home_.keeps_none();
  if (clean && private_ && keep_ > conf::Millis::zero())
    return owner_.pinned().put(lease_.server_ptr(), std::move(backend_));
  if (clean && !private_ && home_.idle != nullptr) {
    backend_->want_read(true);
    if (home_.idle->put(lease_.server_ptr(), backend_, keep_)) return;
  }
  backend_->close();
}

void Exchange::backend_ended(bool clean) {
  if (may_retry()) return retry();
  if (!clean) {
    detail_ = net::error_text(backend_->error());
  } else if (!answer_ || !until_close_) {
    detail_ = "it ended the connection";
  }
  if (!answer_) {
    tell_bad_answer(lease_, detail_, home_.loop.now());
    return refuse(Cause::backend_unreachable);
  }
  // Only a body delimited by the connection's end may end with it (RFC 9112 8).
  if (!clean || !until_close_) return complete(Cause::backend_gone);
  std::string& out = home_.scratch;
  out.clear();
  answer_->append_end(out);
  if (!owner_.client().write(out)) return complete(Cause::client_left);
  answer_complete(false);
}

}  // namespace fairlead::edge
