#include "tests/bench/peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace fairlead::bench {

void die(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  std::exit(1);
}

bool Peer::receive() {
  static char buffer[256 * 1024];
  if (tls != nullptr) {
    int n = SSL_read(tls, buffer, sizeof buffer);
    if (n > 0) in.append(buffer, static_cast<std::size_t>(n));
    return n > 0 || SSL_get_error(tls, n) == SSL_ERROR_WANT_READ;
  }
  ssize_t n = recv(fd, buffer, sizeof buffer, 0);
  if (n > 0) in.append(buffer, static_cast<std::size_t>(n));
  return n > 0 || (n < 0 && errno == EAGAIN);
}

bool Peer::flush() {
  while (!out.empty()) {
    ssize_t n = tls != nullptr ? SSL_write(tls, out.data(), static_cast<int>(out.size()))
                               : send(fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (n <= 0) {
      if (tls != nullptr) return SSL_get_error(tls, static_cast<int>(n)) == SSL_ERROR_WANT_WRITE;
      return errno == EAGAIN;
    }
    out.erase(0, static_cast<std::size_t>(n));
  }
  return true;
}

Target parse_target(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) die("not HOST:PORT: " + std::string(text));
  return {std::string(text.substr(0, colon)),
          static_cast<std::uint16_t>(std::stoi(std::string(text.substr(colon + 1))))};
}

}  // namespace fairlead::bench
