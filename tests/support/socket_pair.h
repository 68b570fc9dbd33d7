#pragma once
// Two connected, non-blocking stream sockets inside one test.

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace fairlead::test {

struct SocketPair {
  int near = -1;  // for the code under test
  int far = -1;   // for the test
};

inline void require_system(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

inline SocketPair make_tcp_pair() {
  int listening = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  require_system(bind(listening, raw, size) == 0 && listen(listening, 1) == 0, "listen");
  getsockname(listening, raw, &size);
  SocketPair pair;
  pair.far = socket(AF_INET, SOCK_STREAM, 0);
  require_system(connect(pair.far, raw, size) == 0, "connect");
  pair.near = accept(listening, nullptr, nullptr);
  require_system(pair.near >= 0, "accept");
  ::close(listening);
  return pair;
}

// `tcp`: over loopback, otherwise AF_UNIX, where what is sent is there at once. `buffer`: SO_SNDBUF
// and SO_RCVBUF of both; 0: the system's.
inline SocketPair make_pair(bool tcp = false, int buffer = 0) {
  SocketPair pair;
  if (tcp) {
    pair = make_tcp_pair();
  } else {
    int fds[2];
    require_system(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
    pair = {fds[0], fds[1]};
  }
  for (int fd : {pair.near, pair.far}) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (buffer == 0) continue;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  }
  return pair;
}

}  // namespace fairlead::test
