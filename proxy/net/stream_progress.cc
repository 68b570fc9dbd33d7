// What a stream knows of its peer beyond the bytes: how much of what was written it has taken,
// whether it has said something that was not read yet, whether the connection is broken.

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "proxy/net/pending.h"
#include "proxy/net/stream.h"

namespace fairlead::net {

Stream::Seldom& Stream::seldom() {
  if (!seldom_) seldom_ = std::make_unique<Seldom>();
  return *seldom_;
}

std::size_t Stream::unacknowledged() const {
  int n = 0;
  if (fd_ < 0 || ioctl(fd_, SIOCOUTQ, &n) != 0 || n < 0) return 0;
  return static_cast<std::size_t>(n);
}

std::size_t Stream::undelivered() const {
  return held_bytes() + unacknowledged();
}

std::size_t Stream::undelivered_bytes() const {
  const std::size_t lost = seldom_ ? seldom_->lost : 0;
  const std::size_t waits = unacknowledged();
  if (waits == 0) return lost + held_bytes();
  int domain = 0;
  socklen_t size = sizeof domain;
  // A unix socket counts memory, not bytes.
  const bool counts =
      getsockopt(fd_, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain != AF_UNIX;
  return lost + held_bytes() + (counts ? waits : 0);
}

bool Stream::stalled(conf::Millis limit) {
  if (fd_ < 0) return false;
  const TimePoint now = loop_.now();
  std::optional<Progress>& progress = seldom().progress;
  if (!progress) {
    progress.emplace(now, unacknowledged());
  } else if (now >= next_look(limit)) {
    progress->look(now, unacknowledged());
  }
  return now >= progress->since() + limit;
}

TimePoint Stream::next_look(conf::Millis limit) const {
  const bool watched = seldom_ && seldom_->progress;
  const TimePoint last = watched ? seldom_->progress->looked() : loop_.now();
  return last + Progress::look_interval(limit);
}

// The kernel has taken `n` bytes more.
void Stream::wrote(std::size_t n) {
  if (!seldom_ || !seldom_->progress) return;
  seldom_->progress->wrote(n);
  if (pending_) seldom_->progress->moved(loop_.now());
}

bool Stream::watch_delivery() {
  const std::size_t waits = unacknowledged();
  if (waits == 0) return false;
  std::optional<Progress>& progress = seldom().progress;
  if (!progress) progress.emplace(loop_.now(), waits);
  return true;
}

void Stream::mark_written() {
  if (seldom_ && seldom_->progress) seldom_->progress->mark(held_bytes());
}

bool Stream::took_marked() {
  if (!seldom_ || !seldom_->progress) return true;
  Progress& progress = *seldom_->progress;
  progress.look(loop_.now(), unacknowledged());
  if (blocked() || !progress.reached_mark()) return false;
  progress.clear_mark();
  return true;
}

// All has left our queue: who waits for what the kernel holds begins a watch of its own.
void Stream::forget_progress() {
  if (!seldom_ || !seldom_->progress || seldom_->progress->marked()) return;
  seldom_->progress.reset();
  tidy();
}

void Stream::tidy() {
  const Seldom& seldom = *seldom_;
  if (seldom.early.empty() && !seldom.progress && seldom.lost == 0) seldom_.reset();
}

bool Stream::has_unread() const {
  int n = 0;
  return fd_ >= 0 && ioctl(fd_, FIONREAD, &n) == 0 && n > 0;
}

bool Stream::broken() const {
  pollfd watch{fd_, 0, 0};
  return fd_ >= 0 && poll(&watch, 1, 0) == 1 && (watch.revents & POLLERR) != 0;
}

}  // namespace fairlead::net
