#include "proxy/net/inherited.h"

#include <fcntl.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <optional>

namespace fairlead::net {
namespace {

std::optional<unsigned> to_number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int int_option(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// What an accept-loop relies on; accepted connections inherit TCP_NODELAY.
void prepare(int fd, bool tcp) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  const int one = 1;
  if (tcp) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

}  // namespace

Announced parse_announced(pid_t self, const char* pid, const char* fds, const char* names,
                          bool trusted) {
  Announced announced;
  if (fds == nullptr) return announced;
  if (pid == nullptr && !trusted) return announced;
  if (pid != nullptr && !trusted) {
    const auto meant = to_number(pid);
    if (!meant) announced.error = "LISTEN_PID is no process id: \"" + std::string(pid) + "\"";
    if (!meant || static_cast<pid_t>(*meant) != self) return announced;
  }
  const auto count = to_number(fds);
  if (!count || *count > kMostInherited) {
    announced.error = "LISTEN_FDS is no number of sockets: \"" + std::string(fds) + "\"";
    return announced;
  }
  announced.count = *count;
  std::string_view rest(names == nullptr ? "" : names);
  while (!rest.empty() && announced.names.size() < announced.count) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    announced.names.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return announced;
}

bool bound_address(int fd, conf::Address& out) {
  SocketAddress raw{};
  socklen_t size = sizeof raw;
  if (getsockname(fd, &raw.any, &size) != 0) return false;
  if (raw.any.sa_family == AF_UNIX) {
    // One without a file (unnamed, or abstract) is no listener's.
    const std::size_t start = offsetof(sockaddr_un, sun_path);
    if (size <= start || raw.un.sun_path[0] == '\0') return false;
    std::string_view path(raw.un.sun_path, std::min<std::size_t>(size, sizeof raw.un) - start);
    out.kind = conf::Address::Kind::unix_path;
    out.host = path.substr(0, path.find('\0'));
    return true;
  }
  if (raw.any.sa_family != AF_INET && raw.any.sa_family != AF_INET6) return false;
  out.kind = conf::Address::Kind::ip;
  out.ip = to_peer(raw).ip;
  out.port = to_peer(raw).port;
  return true;
}

Inherited::Inherited(const Announced& announced) {
  if (!announced.error.empty()) problems_.push_back(announced.error);
  for (unsigned i = 0; i < announced.count; ++i) {
    const std::string why = take(kFirstInherited + static_cast<int>(i));
    if (why.empty()) continue;
    const std::string name = i < announced.names.size() ? " (" + announced.names[i] + ")" : "";
    problems_.push_back("inherited descriptor " + std::to_string(kFirstInherited + i) + name +
                        " is " + why + ": it is not used");
  }
}

std::string Inherited::take(int number) {
  if (fcntl(number, F_GETFD) < 0) {
    sockets_.emplace_back();
    return "not open";
  }
  Socket socket{Fd(number), {}};
  std::string why;
  if (int_option(number, SO_TYPE) != SOCK_STREAM) {
    why = "no stream socket";
  } else if (int_option(number, SO_ACCEPTCONN) != 1) {
    why = "not listening";
  } else if (!bound_address(number, socket.bound)) {
    why = "bound to no address a listener can have";
  }
  if (!why.empty()) {
    socket.fd.reset();
  } else {
    prepare(number, socket.bound.kind == conf::Address::Kind::ip);
  }
  sockets_.push_back(std::move(socket));
  return why;
}

void Inherited::set_written(const std::vector<std::string>& addresses) {
  for (std::size_t i = 0; i < std::min(addresses.size(), sockets_.size()); ++i)
    sockets_[i].written = addresses[i];
}

Bound Inherited::claim(const conf::Address& address) {
  const std::string text = address.text();
  const auto find = [&](auto fits) {
    return std::find_if(sockets_.begin(), sockets_.end(),
                        [&](const Socket& socket) { return socket.fd && fits(socket); });
  };
  auto found = find([&](const Socket& socket) { return socket.written == text; });
  if (found == sockets_.end()) {
    found = find([&](const Socket& socket) { return socket.bound.text() == text; });
  }
  Bound bound;
  if (found == sockets_.end()) return bound;
  bound.fd = std::move(found->fd);
  bound.address = found->bound;
  return bound;
}

std::vector<std::string> Inherited::close_rest() {
  std::vector<std::string> rest;
  for (Socket& socket : sockets_) {
    if (!socket.fd) continue;
    rest.push_back(socket.bound.text());
    socket.fd.reset();
  }
  return rest;
}

}  // namespace fairlead::net
