#include "tests/bench/session.h"

#include <sys/socket.h>

#include <cstring>
#include <utility>

namespace fairlead::bench {
namespace {

std::string request(std::string_view path) {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}

std::string fault_of(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? "the connection ended" : std::strerror(error);
}

}  // namespace

Session::Session(const Start& start) : head_(request(start.path)) {
  std::unique_ptr<TlsEnd> tls;
  if (start.tls != nullptr) {
    tls = std::make_unique<TlsEnd>(start.tls, false);
    if (start.resumed != nullptr) tls->offer(start.resumed);
  }
  channel_ = Channel(connect_to(start.target, start.from), std::move(tls));
}

std::uint32_t Session::interest() const {
  return state_ == State::connecting || channel_.pending() ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

Session::Step Session::step(std::uint32_t events, std::size_t limit) {
  Step step;
  if ((events & EPOLLOUT) != 0) {
    if (state_ == State::connecting) begin();
    if (!channel_.flush()) end(fault_of(channel_.fd()));
  }
  if (state_ == State::ended || (events & ~std::uint32_t{EPOLLOUT}) == 0) return step;
  Channel::Read read = channel_.read(limit);
  if (state_ == State::tls && channel_.tls()->established()) {
    state_ = State::upgrading;
    send(std::exchange(head_, {}));
  }
  take(read.bytes, step);
  if (read.ended) end(closed_ ? "" : fault_of(channel_.fd()));
  return step;
}

void Session::begin() {
  if (channel_.tls() != nullptr) {
    state_ = State::tls;
    if (!channel_.begin_tls()) end(fault_of(channel_.fd()));
  } else {
    state_ = State::upgrading;
    send(std::exchange(head_, {}));
  }
}

void Session::send(std::string_view bytes) {
  if (!channel_.write(bytes)) end(fault_of(channel_.fd()));
}

void Session::end(std::string why) {
  if (state_ == State::ended) return;
  if (state_ != State::open) why = "in the handshake: " + why;
  why_ = std::move(why);
  state_ = State::ended;
}

void Session::take(std::span<const char> bytes, Step& step) {
  if (state_ == State::upgrading) bytes = take_head(bytes);
  if (state_ != State::open) return;
  step.bytes += bytes.size();
  reader_.feed(bytes, [&](const wire::FrameHeader& header, std::string_view payload) {
    if (header.opcode < 8) ++step.frames;
    if (header.opcode == 8) closed_ = true;
    if (header.opcode == 9) send(make_control(wire::Opcode::pong, payload));
  });
  step.closed = closed_;
}

// Returns what follows the head.
std::span<const char> Session::take_head(std::span<const char> bytes) {
  std::size_t before = head_.size();
  head_.append(bytes.data(), bytes.size());
  std::size_t end_of_head = head_.find("\r\n\r\n");
  if (end_of_head == std::string::npos) return {};
  if (!head_.starts_with("HTTP/1.1 101")) {
    end("not a 101 but " + head_.substr(0, head_.find('\r')));
    return {};
  }
  state_ = State::open;
  head_ = {};
  return bytes.subspan(end_of_head + 4 - before);
}

}  // namespace fairlead::bench
