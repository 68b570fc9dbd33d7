#include "tests/bench/sockets.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fairlead::bench {
namespace {

sockaddr_in loopback(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(host);
  return address;
}

void set_option(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

void die(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  std::exit(1);
}

void raise_open_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void end_with_parent() {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
}

void set_deadline(double seconds) {
  std::signal(SIGALRM, [](int) {
    constexpr char kLate[] = "bench: not done in time\n";
    std::exit(write(STDERR_FILENO, kLate, sizeof kLate - 1) < 0 ? 2 : 1);
  });
  alarm(static_cast<unsigned>(seconds) + 1);
}

Target parse_target(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) die("not HOST:PORT: " + std::string(text));
  return {std::string(text.substr(0, colon)),
          static_cast<std::uint16_t>(std::stoi(std::string(text.substr(colon + 1))))};
}

int listen_at(std::uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  sockaddr_in address = loopback(INADDR_LOOPBACK, port);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, 16384) != 0) {
    die("cannot listen on port " + std::to_string(port) + ": " + std::strerror(errno));
  }
  return fd;
}

int accept_from(int listening) {
  int fd = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

int connect_to(const Target& target, From from) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die(std::string("no socket: ") + std::strerror(errno));
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (from.receive_buffer > 0) set_option(fd, SOL_SOCKET, SO_RCVBUF, from.receive_buffer);
  if (from.address != 0) {
    // The port is chosen by connect: each address has all of them.
    set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    sockaddr_in source = loopback(from.address, 0);
    if (bind(fd, reinterpret_cast<sockaddr*>(&source), sizeof source) != 0)
      die(std::string("no source address: ") + std::strerror(errno));
  }
  sockaddr_in address = loopback(0, target.port);
  inet_pton(AF_INET, target.host.c_str(), &address.sin_addr);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    die(std::string("cannot connect: ") + std::strerror(errno));
  }
  return fd;
}

Poll::Poll() : fd_(epoll_create1(EPOLL_CLOEXEC)) {}

Poll::~Poll() {
  close(fd_);
}

std::span<epoll_event> Poll::wait(std::chrono::nanoseconds timeout) {
  auto rest = std::max<std::int64_t>(timeout.count(), 0);
  timespec limit{rest / 1'000'000'000, rest % 1'000'000'000};
  int count = epoll_pwait2(fd_, events_, 512, &limit, nullptr);
  return {events_, static_cast<std::size_t>(std::max(count, 0))};
}

std::span<epoll_event> Poll::wait() {
  int count = epoll_wait(fd_, events_, 512, -1);
  return {events_, static_cast<std::size_t>(std::max(count, 0))};
}

void Poll::control(int what, int fd, std::uint32_t events, epoll_data_t data) {
  epoll_event event{events, data};
  if (epoll_ctl(fd_, what, fd, &event) != 0) die(std::string("epoll_ctl: ") + std::strerror(errno));
}

}  // namespace fairlead::bench
