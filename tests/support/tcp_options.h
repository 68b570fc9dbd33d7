#pragma once
// What the kernel was told of a TCP socket that falls silent.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace fairlead::test {

struct TcpOptions {
  int keepalive = -1;  // 0 or 1
  int idle = -1;       // s
  int interval = -1;   // s
  int probes = -1;
  int user_timeout = -1;  // ms
  bool operator==(const TcpOptions&) const = default;
};

inline TcpOptions tcp_options(int fd) {
  const auto get = [fd](int level, int option) {
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(fd, level, option, &value, &size);
    return value;
  };
  return {get(SOL_SOCKET, SO_KEEPALIVE), get(IPPROTO_TCP, TCP_KEEPIDLE),
          get(IPPROTO_TCP, TCP_KEEPINTVL), get(IPPROTO_TCP, TCP_KEEPCNT),
          get(IPPROTO_TCP, TCP_USER_TIMEOUT)};
}

}  // namespace fairlead::test
