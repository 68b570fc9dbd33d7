#include "proxy/net/acceptor.h"

#include <event2/event.h>

#include <cerrno>

namespace fairlead::net {

Acceptor::Acceptor(Loop& loop, int listening, std::size_t tag, Handler& handler)
    : loop_(loop),
      listening_(listening),
      tag_(tag),
      handler_(handler),
      resume_(loop.timers(), *this) {
  event_ = event_new(
      loop.base(), listening, EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* self) { static_cast<Acceptor*>(self)->accept_some(); },
      this);
  event_add(event_, nullptr);
}

Acceptor::~Acceptor() {
  event_free(event_);
}

void Acceptor::accept_some() {
  for (int i = 0; i < kBatch; ++i) {
    SocketAddress raw{};
    socklen_t size = sizeof raw;
    Fd fd(accept4(listening_, &raw.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      handler_.on_accept(std::move(fd), to_peer(raw), tag_);
      continue;
    }
    int error_number = errno;
    if (error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
        error_number == ENOMEM) {
      event_del(event_);
      resume_.arm(loop_.now() + kPause);
      handler_.on_accept_paused(error_number);
      return;
    }
    if (error_number == EAGAIN || error_number == EWOULDBLOCK) return;
    // What else accept reports is the end of one connection that was about to come (accept(2)).
  }
}

void Acceptor::on_timer(Timer&) {
  event_add(event_, nullptr);
}

}  // namespace fairlead::net
