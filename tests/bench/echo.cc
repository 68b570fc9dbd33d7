// A WebSocket echo server on one epoll loop, as cheap as it can be: the same behind every proxy.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <unordered_map>

#include "proxy/wire/frame.h"
#include "proxy/wire/handshake.h"
#include "proxy/wire/head_parser.h"
#include "tests/bench/peer.h"

namespace fairlead::bench {
namespace {

int listen_at(std::uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, 16384) != 0) {
    die("cannot listen on port " + std::to_string(port));
  }
  return fd;
}

bool answer_handshake(Peer& peer) {
  std::size_t end = peer.in.find("\r\n\r\n");
  if (end == std::string::npos) return true;
  std::string head = peer.in.substr(0, end + 4);
  wire::RequestHead request;
  if (wire::parse_request(head, request) != wire::HeadError::none) return false;
  peer.out +=
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\nSec-WebSocket-Accept: " +
      wire::accept_key(request.fields.get("Sec-WebSocket-Key")) + "\r\n\r\n";
  peer.in.erase(0, end + 4);
  peer.open = true;
  return true;
}

// Returns each whole frame unmasked; Pings as Pongs.
void echo_frames(Peer& peer) {
  std::size_t at = 0;
  while (true) {
    wire::FrameHeader header;
    std::span<const char> rest(peer.in.data() + at, peer.in.size() - at);
    std::size_t size = wire::decode_header(rest, header);
    if (size == 0 || rest.size() - size < header.length) break;
    char* payload = peer.in.data() + at + size;
    auto length = static_cast<std::size_t>(header.length);
    if (header.masked) wire::apply_mask({payload, length}, header.mask);
    header.masked = false;
    if (header.opcode == 9) header.opcode = 10;
    if (header.opcode != 10 || rest[0] == static_cast<char>(0x89)) {
      char out[wire::kMaxFrameHeader];
      peer.out.append(out, wire::encode_header(header, out));
      peer.out.append(payload, length);
    }
    at += size + length;
  }
  peer.in.erase(0, at);
}

bool serve(Peer& peer) {
  if (!peer.receive()) return false;
  if (!peer.open && !answer_handshake(peer)) return false;
  if (peer.open) echo_frames(peer);
  return peer.flush();
}

}  // namespace

int run_echo(std::uint16_t port) {
  int listening = listen_at(port);
  int poll = epoll_create1(0);
  epoll_event watch{};
  watch.events = EPOLLIN;
  watch.data.fd = listening;
  epoll_ctl(poll, EPOLL_CTL_ADD, listening, &watch);
  std::unordered_map<int, Peer> peers;
  epoll_event events[256];
  while (true) {
    int count = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd == listening) {
        int accepted = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK);
        if (accepted < 0) continue;
        peers[accepted].fd = accepted;
        watch.data.fd = accepted;
        watch.events = EPOLLIN;
        epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &watch);
        continue;
      }
      Peer& peer = peers[fd];
      bool had = !peer.out.empty();
      if (!serve(peer)) {
        close(fd);
        peers.erase(fd);
        continue;
      }
      if (had != !peer.out.empty()) {
        watch.data.fd = fd;
        watch.events = peer.out.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT;
        epoll_ctl(poll, EPOLL_CTL_MOD, fd, &watch);
      }
    }
  }
}

}  // namespace fairlead::bench
