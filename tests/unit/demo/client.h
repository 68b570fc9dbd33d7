#pragma once
// A blocking client of the demo's servers. Whatever does not come within the deadline reads as "".

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/ip.h"
#include "proxy/net/socket.h"
#include "proxy/wire/frame.h"
#include "tests/support/frame_maker.h"

namespace fairlead::test {

// A frame from the server.
struct Got {
  bool frame = false;  // false: the end, or the deadline
  wire::FrameHeader header;
  std::string payload;

  unsigned opcode() const { return header.opcode; }

  wire::CloseView close() const { return wire::parse_close(payload); }
};

class Client {
 public:
  // `receive_buffer` 0: the system's.
  explicit Client(const conf::Address& server, int receive_buffer = 0)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval deadline{10, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
    if (receive_buffer != 0) {
      setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    net::SocketAddress raw{};
    const socklen_t size = net::to_sockaddr(server, raw);
    connected_ = connect(fd_.get(), &raw.any, size) == 0;
  }

  bool connected() const { return connected_; }

  // False: the other side has gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  void finish() { shutdown(fd_.get(), SHUT_WR); }

  // An answer's head.
  std::string head() {
    while (in_.find("\r\n\r\n") == in_.npos) {
      if (!more()) return {};
    }
    return take(in_.find("\r\n\r\n") + 4);
  }

  // Everything up to the end of the connection.
  std::string rest() {
    while (more()) {
    }
    return take(in_.size());
  }

  // The server has ended the connection, and nothing came before that.
  bool at_end() { return in_.empty() && !more() && ended_; }

  Got frame() {
    Got got;
    while (wire::decode_header(in_, got.header) == 0) {
      if (!more()) return {};
    }
    const auto size = got.header.size + static_cast<std::size_t>(got.header.length);
    while (in_.size() < size) {
      if (!more()) return {};
    }
    got.frame = true;
    got.payload = take(size).substr(got.header.size);
    return got;
  }

  std::string text() { return frame().payload; }

  bool say(std::string text) { return send(make({.opcode = 1, .payload = text, .masked = true})); }

 private:
  bool more() {
    char buffer[65536];
    const ssize_t n = recv(fd_.get(), buffer, sizeof buffer, 0);
    ended_ = n == 0 || (n < 0 && errno == ECONNRESET);
    if (n <= 0) return false;
    in_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }

  std::string take(std::size_t n) {
    std::string out = in_.substr(0, n);
    in_.erase(0, n);
    return out;
  }

  net::Fd fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string in_;
};

inline std::string handshake(std::string_view path,
                             std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==",
                             std::string_view version = "13") {
  std::string head = "GET ";
  head.append(path).append(" HTTP/1.1\r\nHost: demo\r\nConnection: Upgrade\r\n");
  head.append("Upgrade: websocket\r\nSec-WebSocket-Key: ").append(key);
  return head.append("\r\nSec-WebSocket-Version: ").append(version).append("\r\n\r\n");
}

}  // namespace fairlead::test
