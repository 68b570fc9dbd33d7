#include "proxy/net/stream.h"

#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include "proxy/net/socket.h"

namespace fairlead::net {

Stream::Stream(Loop& loop, int fd) : loop_(loop), fd_(fd) {
  event_assign(&event_, loop.base(), fd, 0, on_event, this);
}

Stream::~Stream() {
  close();
}

void Stream::close() {
  if (fd_ < 0) return;
  ::close(release_fd());
  pending_.reset();
}

int Stream::release_fd() {
  if (watched_ != 0) event_del(&event_);
  watched_ = 0;
  reading_ = false;
  return std::exchange(fd_, -1);
}

bool Stream::fail(int error_number) {
  if (error_ == 0) error_ = error_number;
  pending_.reset();
  watch();
  return false;
}

// Level-triggered: reading unless paused, writing only while something is held back.
void Stream::watch() {
  if (fd_ < 0) return;
  auto want = static_cast<short>((reading_ ? EV_READ : 0) | (pending_ ? EV_WRITE : 0));
  if (want == watched_) return;
  if (watched_ != 0) event_del(&event_);
  watched_ = want;
  if (want == 0) return;
  event_assign(&event_, loop_.base(), fd_, static_cast<short>(want | EV_PERSIST), on_event, this);
  event_add(&event_, nullptr);
}

void Stream::want_read(bool on) {
  if (reading_ == on) return;
  reading_ = on;
  watch();
}

void Stream::on_event(int, short what, void* self) {
  auto& stream = *static_cast<Stream*>(self);
  if ((what & EV_WRITE) != 0) stream.flush();
  if ((what & EV_READ) != 0 && stream.reading_) stream.handler_->on_readable(stream);
}

void Stream::unread(std::string_view bytes) {
  if (!bytes.empty()) early_ = std::make_unique<std::string>(bytes);
}

ReadResult Stream::receive(std::span<char> into) {
  if (early_) {
    std::size_t n = std::min(into.size(), early_->size());
    std::memcpy(into.data(), early_->data(), n);
    early_->erase(0, n);
    if (early_->empty()) early_.reset();
    return {n, IoStatus::ok};
  }
  if (fd_ < 0 || error_ != 0) return {0, IoStatus::error};
  ssize_t n = 0;
  do {
    n = recv(fd_, into.data(), into.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n > 0) return {static_cast<std::size_t>(n), IoStatus::ok};
  if (n == 0) return {0, IoStatus::eof};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {0, IoStatus::ok};
  fail(errno);
  return {0, IoStatus::error};
}

ReadResult Stream::read(std::span<char> into) {
  return receive(into);
}

bool Stream::write(std::span<const char> data) {
  return send_all(data);
}

bool Stream::send_all(std::span<const char> data) {
  if (fd_ < 0 || error_ != 0 || finishing_) return false;
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
    if (errno != EAGAIN && errno != EWOULDBLOCK) return fail(errno);
    n = 0;
  }
  auto sent = static_cast<std::size_t>(n);
  if (sent == data.size()) return true;
  pending_ = std::make_unique<Pending>();
  pending_->data.assign(data.data() + sent, data.size() - sent);
  pending_->progress = loop_.now();
  watch();
  return true;
}

void Stream::flush() {
  if (!pending_) return;
  Pending& pending = *pending_;
  ssize_t n = send(fd_, pending.data.data() + pending.sent, pending.data.size() - pending.sent,
                   MSG_NOSIGNAL);
  if (n < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return;
    fail(errno);
    return handler_->on_drained(*this);  // what waits for room has to learn that there will be none
  }
  pending.sent += static_cast<std::size_t>(n);
  pending.progress = loop_.now();
  if (pending.sent < pending.data.size()) return;
  pending_.reset();
  watch();
  if (finishing_) shut_down();
  handler_->on_drained(*this);
}

void Stream::finish() {
  if (finishing_) return;
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
