#include "tests/bench/channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace fairlead::bench {

Channel::Channel(Channel&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      tls_(std::move(other.tls_)),
      out_(std::exchange(other.out_, {})),
      sent_(std::exchange(other.sent_, 0)) {}

Channel& Channel::operator=(Channel&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(tls_, other.tls_);
  std::swap(out_, other.out_);
  std::swap(sent_, other.sent_);
  return *this;
}

Channel::~Channel() {
  if (fd_ >= 0) close(fd_);
}

Channel::Read Channel::read(std::size_t limit) {
  static char buffer[TlsEnd::kMostFed];
  ssize_t n = recv(fd_, buffer, std::min(limit, sizeof buffer), 0);
  if (n <= 0) return {n == 0 || errno != EAGAIN, {}};
  std::span<const char> bytes(buffer, static_cast<std::size_t>(n));
  if (tls_ == nullptr) return {false, bytes};
  TlsEnd::Opened opened = tls_->open(bytes);
  bool alive = send_sealed();
  return {opened.ended || !alive, opened.plain};
}

bool Channel::write(std::span<const char> bytes) {
  if (tls_ == nullptr) return send_or_keep(bytes);
  tls_->seal(bytes);
  return send_sealed();
}

bool Channel::begin_tls() {
  tls_->begin();
  return send_sealed();
}

bool Channel::send_sealed() {
  std::string& sealed = TlsEnd::sealed();
  if (sealed.empty()) return true;
  bool alive = send_or_keep(sealed);
  sealed.clear();
  return alive;
}

bool Channel::send_or_keep(std::span<const char> bytes) {
  if (out_.empty()) {
    ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return false;
    if (n > 0) bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  out_.append(bytes.data(), bytes.size());
  return true;
}

bool Channel::flush() {
  if (out_.empty()) return true;
  ssize_t n = send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN;
  sent_ += static_cast<std::size_t>(n);
  if (sent_ == out_.size()) {
    out_ = {};
    sent_ = 0;
  }
  return true;
}

}  // namespace fairlead::bench
