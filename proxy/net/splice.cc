// Large payloads between two plain sockets: through a pipe, without a copy.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "proxy/net/pending.h"
#include "proxy/net/stream.h"

namespace fairlead::net {
namespace {

bool would_block(int error_number) {
  return error_number == EAGAIN || error_number == EWOULDBLOCK || error_number == EINTR;
}

}  // namespace

bool Stream::can_splice(const Stream& from) const {
  return tls() == nullptr && from.tls() == nullptr && is_open() && from.is_open() && error_ == 0 &&
         from.error_ == 0 && !pending_ && !finishing_ && !from.has_early();
}

std::size_t Stream::peek(std::span<char> into) {
  ssize_t n = recv(fd_, into.data(), into.size(), MSG_PEEK);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

std::optional<ReadResult> Stream::splice_from(Stream& from, std::size_t n, std::size_t least) {
  if (!can_splice(from)) return std::nullopt;
  Pipe pipe = loop_.pipes().take();
  if (!pipe) return std::nullopt;
  ReadResult result;
  ssize_t got = pipe.fill(from.fd_, std::min(n, kSpliceMost));
  if (got < 0 && would_block(errno)) return result;
  if (got < 0 && errno == EINVAL) return std::nullopt;  // no such socket
  if (got <= 0) {
    if (got < 0) from.fail(errno);
    result.status = got < 0 ? IoStatus::error : IoStatus::eof;
    return result;
  }
  if (static_cast<std::size_t>(got) < least) {
    from.unread(pipe.take_back());
    return std::nullopt;
  }
  result.n = static_cast<std::size_t>(got);
  if (!send_pipe(pipe) && error_ == 0) hold().pipe = std::move(pipe);
  return result;
}

// True when nothing is left in it; false: no room, or the stream broke.
bool Stream::send_pipe(Pipe& pipe) {
  while (pipe.held() != 0) {
    ssize_t sent = pipe.empty(fd_);
    if (sent > 0) {
      wrote(static_cast<std::size_t>(sent));
      continue;
    }
    if (sent < 0 && would_block(errno)) return false;
    dropped_ = true;
    return fail(sent < 0 ? errno : EPIPE);
  }
  return true;
}

}  // namespace fairlead::net
