#include "proxy/net/connector.h"

#include <event2/event.h>
#include <netinet/tcp.h>

#include <cerrno>

namespace fairlead::net {

Connector::Connector(Loop& loop, Handler& handler)
    : loop_(loop), handler_(handler), deadline_(loop.timers(), *this) {}

Connector::~Connector() {
  cancel();
}

void Connector::cancel() {
  if (watching_) event_del(&event_);
  watching_ = false;
  deadline_.disarm();
  fd_.reset();
}

void Connector::start(const conf::Address& address, TimePoint deadline) {
  SocketAddress raw{};
  socklen_t size = to_sockaddr(address, raw);
  fd_ = Fd(socket(raw.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  early_error_ = 0;
  if (!fd_) {
    early_error_ = errno;
  } else {
    int one = 1;
    if (raw.any.sa_family != AF_UNIX) {
      setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      set_tcp_timeouts(fd_.get(), loop_.tcp_timeouts());
    }
    if (connect(fd_.get(), &raw.any, size) != 0 && errno != EINPROGRESS) early_error_ = errno;
  }
  if (early_error_ != 0) {
    deadline_.arm(loop_.now());  // told from the loop, as any outcome is
    return;
  }
  event_assign(
      &event_, loop_.base(), fd_.get(), EV_WRITE,
      [](evutil_socket_t fd, short, void* self) {
        int error_number = 0;
        socklen_t length = sizeof error_number;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error_number, &length) != 0) error_number = errno;
        auto& connector = *static_cast<Connector*>(self);
        connector.watching_ = false;
        connector.finish(error_number);
      },
      this);
  event_add(&event_, nullptr);
  watching_ = true;
  deadline_.arm(deadline);
}

// The handler may destroy or restart this connector: nothing is touched after it.
void Connector::finish(int error_number) {
  Fd fd = std::move(fd_);
  cancel();
  if (error_number == 0) {
    handler_.on_connected(std::make_unique<Stream>(loop_, fd.release()));
  } else {
    fd.reset();
    handler_.on_connect_failed(error_number);
  }
}

void Connector::on_timer(Timer&) {
  finish(early_error_ != 0 ? early_error_ : ETIMEDOUT);
}

}  // namespace fairlead::net
