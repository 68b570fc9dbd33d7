#include "proxy/net/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace fairlead::net {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

void set(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

void enable(int fd, int level, int option) {
  set(fd, level, option, 1);
}

// Whether nobody listens on a unix socket's path any more. Only a refusal says so: a full queue, a
// lack of permission or a socket of another type are somebody's.
bool abandoned(const SocketAddress& address, socklen_t size) {
  Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return probe && connect(probe.get(), &address.any, size) != 0 && errno == ECONNREFUSED;
}

void remove_stale_socket(const conf::Address& address, const SocketAddress& raw, socklen_t size) {
  struct stat file {};

  if (lstat(address.host.c_str(), &file) == 0 && S_ISSOCK(file.st_mode) && abandoned(raw, size)) {
    unlink(address.host.c_str());
  }
}

std::uint16_t bound_port(int fd) {
  SocketAddress raw{};
  socklen_t size = sizeof raw;
  getsockname(fd, &raw.any, &size);
  return to_peer(raw).port;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

socklen_t to_sockaddr(const conf::Address& address, SocketAddress& out) {
  std::memset(&out, 0, sizeof out);
  if (address.kind == conf::Address::Kind::unix_path) {
    if (address.host.size() >= sizeof out.un.sun_path) return 0;
    out.un.sun_family = AF_UNIX;
    std::copy(address.host.begin(), address.host.end(), out.un.sun_path);
    return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.host.size() + 1);
  }
  if (address.kind == conf::Address::Kind::name) return 0;
  if (address.ip.is_v4()) {
    out.v4.sin_family = AF_INET;
    out.v4.sin_port = htons(address.port);
    std::memcpy(&out.v4.sin_addr, address.ip.bytes.data() + 12, 4);
    return sizeof out.v4;
  }
  out.v6.sin6_family = AF_INET6;
  out.v6.sin6_port = htons(address.port);
  std::memcpy(&out.v6.sin6_addr, address.ip.bytes.data(), 16);
  return sizeof out.v6;
}

PeerAddress to_peer(const SocketAddress& address) {
  PeerAddress peer;
  if (address.any.sa_family == AF_INET) {
    peer.ip = conf::Ip::v4(ntohl(address.v4.sin_addr.s_addr));
    peer.port = ntohs(address.v4.sin_port);
  } else if (address.any.sa_family == AF_INET6) {
    std::memcpy(peer.ip.bytes.data(), &address.v6.sin6_addr, 16);
    peer.port = ntohs(address.v6.sin6_port);
  } else {
    peer.unix_socket = true;
  }
  return peer;
}

// With a user timeout the kernel gives up after it, and not after so many probes.
void set_tcp_timeouts(int fd, const conf::TcpTimeouts& timeouts) {
  constexpr int kProbes = 4;
  set(fd, SOL_SOCKET, SO_KEEPALIVE, timeouts.keepalive ? 1 : 0);
  if (timeouts.keepalive) {
    const auto seconds = static_cast<int>(
        std::clamp<std::int64_t>((timeouts.keepalive->count() + 999) / 1000, 1, 32'767));
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, std::max(seconds / kProbes, 1));
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  }
  const std::int64_t most = timeouts.user_timeout.value_or(conf::Millis{0}).count();
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(std::min<std::int64_t>(most, INT32_MAX)));
}

Bound listen_on(const conf::Address& address) {
  Bound bound;
  bound.address = address;
  auto fail = [&](const char* what) {
    bound.fd.reset();
    bound.error = "cannot listen on " + address.text() + ": " + what + ": " + error_text(errno);
    return std::move(bound);
  };
  SocketAddress raw{};
  socklen_t size = to_sockaddr(address, raw);
  if (size == 0) {
    errno = EINVAL;
    return fail("address");
  }
  bool is_unix = address.kind == conf::Address::Kind::unix_path;
  bound.fd = Fd(socket(raw.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!bound.fd) return fail("socket");
  if (is_unix) {
    remove_stale_socket(address, raw, size);
  } else {
    enable(bound.fd.get(), SOL_SOCKET, SO_REUSEADDR);
    enable(bound.fd.get(), IPPROTO_TCP, TCP_NODELAY);
  }
  if (bind(bound.fd.get(), &raw.any, size) != 0) return fail("bind");
  if (listen(bound.fd.get(), kBacklog) != 0) return fail("listen");
  if (!is_unix) bound.address.port = bound_port(bound.fd.get());
  return bound;
}

std::vector<conf::Ip> resolve(const std::string& host, std::string& error) {
  std::vector<conf::Ip> found;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  int result = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (result != 0) {
    error = "cannot resolve " + host + ": " + gai_strerror(result);
    return found;
  }
  for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
    SocketAddress raw{};
    std::memcpy(&raw, item->ai_addr, std::min<std::size_t>(item->ai_addrlen, sizeof raw));
    conf::Ip ip = to_peer(raw).ip;
    if (std::find(found.begin(), found.end(), ip) == found.end()) found.push_back(ip);
  }
  freeaddrinfo(list);
  std::stable_partition(found.begin(), found.end(), [](const conf::Ip& ip) { return ip.is_v4(); });
  if (found.empty()) error = "cannot resolve " + host + ": no address";
  return found;
}

std::string error_text(int error_number) {
  return std::error_code(error_number, std::generic_category()).message();
}

}  // namespace fairlead::net
