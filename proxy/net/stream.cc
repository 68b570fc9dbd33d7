#include "proxy/net/stream.h"

#include <event2/event.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include "proxy/net/pending.h"
#include "proxy/net/socket.h"

namespace fairlead::net {

Stream::Stream(Loop& loop, int fd) : loop_(loop), fd_(fd) {
  event_assign(&readable_, loop.base(), fd, EV_READ | EV_PERSIST, on_readable, this);
}

Stream::~Stream() {
  close();
}

void Stream::close() {
  if (fd_ >= 0) ::close(release_fd());
}

int Stream::release_fd() {
  want_read(false);
  unwatch();
  if (pending_ || seldom_) seldom().lost = undelivered_bytes();
  pending_.reset();
  return std::exchange(fd_, -1);
}

bool Stream::fail(int error_number) {
  if (error_ == 0) error_ = error_number;
  drop_held();
  return false;
}

// What is held back will never be sent.
void Stream::drop_held() {
  if (!pending_) return;
  dropped_ = true;
  seldom().lost += held_bytes();
  pending_.reset();
}

void Stream::want_read(bool on) {
  if (reading_ == on || fd_ < 0) return;
  reading_ = on;
  if (on && !std::exchange(watched_, true)) event_add(&readable_, nullptr);
}

void Stream::unwatch() {
  if (std::exchange(watched_, false)) event_del(&readable_);
}

bool Stream::hung_up() const {
  pollfd one{fd_, 0, 0};
  return error_ != 0 || fd_ < 0 ||
         (poll(&one, 1, 0) > 0 && (one.revents & (POLLERR | POLLHUP)) != 0);
}

std::size_t Stream::held_bytes() const {
  return pending_ ? pending_->pipe.held() + pending_->data.size() - pending_->sent : 0;
}

void Stream::on_readable(int, short, void* self) {
  auto& stream = *static_cast<Stream*>(self);
  if (!stream.reading_ || stream.answers_wait_) return stream.unwatch();
  stream.handler_->on_readable(stream);
}

void Stream::on_writable(int, short, void* self) {
  static_cast<Stream*>(self)->flush();
}

void Stream::unread(std::string_view bytes) {
  if (!bytes.empty()) seldom().early = bytes;
}

ReadResult Stream::receive(std::span<char> into) {
  if (has_early()) {
    std::string& early = seldom_->early;
    std::size_t n = std::min(into.size(), early.size());
    std::memcpy(into.data(), early.data(), n);
    early.erase(0, n);
    if (early.empty()) tidy();
    return {n, IoStatus::ok};
  }
  if (fd_ < 0) return {0, IoStatus::error};
  ssize_t n = 0;
  do {
    n = recv(fd_, into.data(), into.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n > 0) return {static_cast<std::size_t>(n), IoStatus::ok};
  // A write has failed; what came before that was still read: why a server refuses an upload.
  if (error_ != 0) return {0, IoStatus::error};
  if (n == 0) return {0, IoStatus::eof};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {0, IoStatus::ok};
  fail(errno);
  return {0, IoStatus::error};
}

ReadResult Stream::read(std::span<char> into, std::size_t most) {
  return receive(into.first(std::min(most, into.size())));
}

bool Stream::write(std::span<const char> data) {
  return send_all(data);
}

Stream::Pending& Stream::hold() {
  if (!pending_) pending_ = std::make_unique<Pending>(*this);
  return *pending_;
}

void Stream::hold_back(std::span<const char> data) {
  hold().data.append(data.data(), data.size());
}

std::string Stream::take_held() {
  std::string held = pending_ ? pending_->data.substr(pending_->sent) : std::string();
  pending_.reset();
  return held;
}

bool Stream::send_all(std::span<const char> data) {
  if (fd_ < 0 || error_ != 0 || finishing_) {
    count_lost(data.size());
    return false;
  }
  if (data.empty()) return true;
  if (pending_) {
    // A peer that takes some but never all must not make this grow: what was sent goes once it is
    // the bigger part.
    if (pending_->sent > pending_->data.size() / 2) {
      pending_->data.erase(0, pending_->sent);
      pending_->sent = 0;
    }
    pending_->data.append(data.data(), data.size());
    return true;
  }
  ssize_t n = 0;
  do {
    n = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  if (n < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      dropped_ = true;
      seldom().lost += data.size();
      return fail(errno);
    }
    n = 0;
  }
  auto sent = static_cast<std::size_t>(n);
  if (seldom_) wrote(sent);
  if (sent == data.size()) return true;
  hold().data.assign(data.data() + sent, data.size() - sent);
  return true;
}

void Stream::flush() {
  if (!pending_) return;
  bool all = (!pending_->pipe || send_pipe(pending_->pipe)) && error_ == 0 && send_held();
  if (error_ != 0) {  // what waits for room has to learn that there will be none
    dropped_ = true;
    drop_held();
    return handler_->on_drained(*this);
  }
  if (!all) return;
  pending_.reset();
  if (std::exchange(answers_wait_, false) && reading_ && !std::exchange(watched_, true))
    event_add(&readable_, nullptr);
  forget_progress();
  if (finishing_) shut_down();
  handler_->on_drained(*this);
}

// True when all of the held bytes are gone; false: no room, or the stream broke.
bool Stream::send_held() {
  Pending& pending = *pending_;
  pending.pipe = {};
  if (pending.data.empty()) return true;
  ssize_t n = send(fd_, pending.data.data() + pending.sent, pending.data.size() - pending.sent,
                   MSG_NOSIGNAL);
  if (n < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) error_ = errno;
    return false;
  }
  pending.sent += static_cast<std::size_t>(n);
  wrote(static_cast<std::size_t>(n));
  return pending.sent == pending.data.size();
}

void Stream::finish() {
  if (finishing_) return;
  notify();
  finishing_ = true;
  if (!pending_) shut_down();
}

void Stream::shut_down() {
  if (fd_ >= 0 && !std::exchange(shut_, true)) ::shutdown(fd_, SHUT_WR);
}

std::string Stream::failure_text() const {
  return error_ != 0 ? error_text(error_) : std::string();
}

}  // namespace fairlead::net
