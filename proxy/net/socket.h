#pragma once
// Sockets and their addresses: what the other files of this folder need of the system.

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conf/config.h"

namespace fairlead::net {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;

  explicit Fd(int fd) : fd_(fd) {}

  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

  Fd& operator=(Fd&& other) noexcept;

  ~Fd() { reset(); }

  int get() const { return fd_; }

  int release() { return std::exchange(fd_, -1); }

  void reset();

  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// A connection's other end.
struct PeerAddress {
  conf::Ip ip;
  std::uint16_t port = 0;
  bool unix_socket = false;
};

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
  sockaddr_un un;
};

// kind ip or unix_path; the length to give with it, 0 for a name or a path that is too long.
socklen_t to_sockaddr(const conf::Address& address, SocketAddress& out);
PeerAddress to_peer(const SocketAddress& address);

// Probes of a silent connection and TCP_USER_TIMEOUT. A listening socket hands them on to what it
// accepts, so that accepting costs no call more. Does nothing to a unix socket.
void set_tcp_timeouts(int fd, const conf::TcpTimeouts& timeouts);

struct Bound {
  Fd fd;
  conf::Address address;  // with the port the system chose, where 0 was asked for
  std::string error;      // not empty: one line with the reason
};

// A listening, non-blocking socket. TCP_NODELAY is inherited by what is accepted. A unix socket's
// file left behind by a dead process is replaced; one that answers is "in use".
Bound listen_on(const conf::Address& address);

// A name's addresses (getaddrinfo: blocks, for commands only), IPv4 first. Empty with `error` set.
std::vector<conf::Ip> resolve(const std::string& host, std::string& error);

std::string error_text(int error_number);  // strerror, thread-safe

}  // namespace fairlead::net
