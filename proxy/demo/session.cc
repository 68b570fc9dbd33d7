#include "proxy/demo/session.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "conf/config.h"
#include "proxy/demo/answer.h"
#include "proxy/demo/server.h"
#include "proxy/wire/handshake.h"

namespace fairlead::demo {
namespace {

constexpr wire::HeadLimits kHeadLimits{conf::bounds::kHeadBytes, conf::bounds::kHeadFields};

// MessageReader::next leaves less than a control frame: it fits in front of the next read.
static_assert(wire::kMaxControlFrame <= net::Loop::kHeadroom);

}  // namespace

Session::Session(Server& server, std::uint64_t id, net::Fd fd)
    : server_(server),
      id_(id),
      stream_(server.loop(), fd.release()),
      timer_(server.loop().timers(), *this),
      head_scanner_(kHeadLimits),
      reader_(server.app().traits().max_message) {
  stream_.set_handler(*this);
  stream_.want_read(true);
  timer_.arm(server.loop().now() + server.limits().head);
}

void Session::on_readable(net::Stream&) {
  const auto buffer = server_.loop().relay_buffer();
  const net::ReadResult result = stream_.read(buffer);
  const std::size_t before = rest_.size();
  if (result.n != 0) {
    std::memcpy(buffer.data() - before, rest_.data(), before);
    rest_.clear();
    take({buffer.data() - before, before + result.n});
  }
  if (state_ == State::dead || result.status == net::IoStatus::ok) return;
  if (result.status == net::IoStatus::error) return die();
  on_eof();
}

// The client has sent all it will. Of an answer that is still leaving it may want the rest.
void Session::on_eof() {
  eof_ = true;
  stream_.want_read(false);
  if (state_ != State::ending || !stream_.blocked()) die();
}

void Session::on_drained(net::Stream&) {
  if (stream_.error() != 0 || eof_) return die();
  if (state_ != State::open) return;
  timer_.disarm();
  stream_.want_read(true);
}

void Session::on_timer(net::Timer&) {
  switch (state_) {
    case State::head:
      // A connection made in advance and not used has nothing to be answered (RFC 9110 15.5.9).
      if (head_.empty()) return die();
      return answer_last(refusal(408));
    case State::open: {
      if (!stream_.blocked()) return;
      if (stream_.stalled(server_.limits().stall)) return die();
      return timer_.arm(stream_.next_look(server_.limits().stall));
    }
    case State::ending:
      return die();
    case State::dead:
      return;
  }
}

void Session::take(std::span<char> bytes) {
  if (state_ == State::head) return take_head(bytes);
  if (state_ == State::open) take_frames(bytes);
}

void Session::take_head(std::span<char> bytes) {
  using Scan = wire::HeadScanner::State;
  const std::size_t before = head_.size();
  const Scan scan = head_scanner_.feed({bytes.data(), bytes.size()});
  if (scan == Scan::error) return answer_last(refusal(status_of(head_scanner_.error())));
  const std::size_t used = scan == Scan::complete ? head_scanner_.size() - before : bytes.size();
  head_.append(bytes.data(), used);
  if (scan == Scan::more) return;

  wire::RequestHead request;
  const wire::HeadError error = wire::parse_request(head_, request);
  if (error != wire::HeadError::none) return answer_last(refusal(status_of(error)));
  on_request(request);
  head_ = {};
  take(bytes.subspan(used));
}

void Session::on_request(const wire::RequestHead& request) {
  const Traits& traits = server_.app().traits();
  if (wire::is_websocket_handshake(request)) return on_handshake(request);
  if (request.method != "GET" && request.method != "HEAD") return answer_last(refusal(405));
  if (request.path == traits.path) return answer_last(refusal(426));
  if (request.path != "/" || traits.page.empty()) return answer_last(refusal(404));
  answer_last(page_answer(traits.page, request.method == "GET"));
}

void Session::on_handshake(const wire::RequestHead& request) {
  if (request.path != server_.app().traits().path) return answer_last(refusal(404));
  const wire::HandshakeError error = wire::check_handshake(request);
  if (error == wire::HandshakeError::bad_version) return answer_last(refusal(426));
  if (error != wire::HandshakeError::none) return answer_last(refusal(400));
  number_ = server_.admit();
  if (number_ == 0) return answer_last(refusal(503));
  state_ = State::open;
  timer_.disarm();
  send(switching_protocols(request));
  server_.app().on_join(server_, *this);
}

void Session::take_frames(std::span<char> bytes) {
  for (;;) {
    const Item item = reader_.next(bytes);
    if (item.kind == Item::Kind::none) break;
    take_item(item);
    if (state_ != State::open) return;
  }
  rest_.assign(bytes.data(), bytes.size());
  // A client that does not read what it gets is not read either.
  stream_.want_read(!stream_.blocked());
}

void Session::take_item(const Item& item) {
  switch (item.kind) {
    case Item::Kind::message:
      return server_.app().on_message(server_, *this, item.opcode, item.payload);
    case Item::Kind::ping:
      return send(make_frame(wire::Opcode::pong, item.payload));
    case Item::Kind::close:  // answered with the code that came (RFC 6455 5.5.1)
      return end(item.code, {});
    case Item::Kind::violation:
      return end(item.code, item.payload);
    case Item::Kind::none:
    case Item::Kind::pong:
      return;
  }
}

void Session::send(std::string_view frame) {
  if (state_ != State::open) return;
  if (!stream_.write(frame) || stream_.held_bytes() > server_.app().traits().max_held) return die();
  if (stream_.blocked() && !timer_.armed()) {
    timer_.arm(server_.loop().now() + server_.limits().stall);
  }
}

void Session::end(std::uint16_t code, std::string_view reason) {
  if (state_ != State::open) return;
  if (!stream_.write(wire::make_close(code, reason, {}).span())) return die();
  leave();
  wait_for_end();
}

void Session::answer_last(std::string_view answer) {
  if (!stream_.write(answer)) return die();
  wait_for_end();
}

// To close with bytes unread would reset the connection and could take the answer from the client
// (RFC 9112 9.6).
void Session::wait_for_end() {
  state_ = State::ending;
  stream_.finish();
  stream_.want_read(true);
  timer_.arm(server_.loop().now() + server_.limits().ending);
}

void Session::leave() {
  if (state_ == State::open) server_.left(number_);
}

void Session::die() {
  if (state_ == State::dead) return;
  leave();
  state_ = State::dead;
  timer_.disarm();
  stream_.close();
  server_.died(id_);
}

}  // namespace fairlead::demo
