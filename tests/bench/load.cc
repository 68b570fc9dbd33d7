// Opens connections through a proxy and keeps messages in flight, or keeps them idle.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <vector>

#include "proxy/wire/frame.h"
#include "tests/bench/peer.h"

namespace fairlead::bench {
namespace {

using Clock = std::chrono::steady_clock;

Peer open_peer(const LoadOptions& options, SSL_CTX* context) {
  Peer peer;
  peer.fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.target.port);
  inet_pton(AF_INET, options.target.host.c_str(), &address.sin_addr);
  if (connect(peer.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    die("cannot connect");
  int one = 1;
  setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (context != nullptr) {
    peer.tls = SSL_new(context);
    SSL_set_fd(peer.tls, peer.fd);
    if (SSL_connect(peer.tls) != 1) die("TLS handshake failed");
  }
  peer.out =
      "GET /bench HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  if (!peer.flush()) die("handshake was not sent");
  while (peer.in.find("\r\n\r\n") == std::string::npos) {
    if (!peer.receive()) die("connection ended in the handshake");
  }
  if (peer.in.compare(0, 12, "HTTP/1.1 101") != 0) die("not a 101: " + peer.in);
  peer.in.clear();
  fcntl(peer.fd, F_SETFL, O_NONBLOCK);
  return peer;
}

std::string make_message(std::size_t size) {
  wire::FrameHeader header;
  header.fin = true;
  header.opcode = 2;
  header.masked = true;
  header.mask = {1, 2, 3, 4};
  header.length = size;
  char head[wire::kMaxFrameHeader];
  std::string message(head, wire::encode_header(header, head));
  message.append(size, 'x');
  return message;
}

// Takes whole frames off the input: answers Pings, returns how many data frames there were.
unsigned take_frames(Peer& peer) {
  unsigned count = 0;
  std::size_t at = 0;
  while (true) {
    wire::FrameHeader header;
    std::span<const char> rest(peer.in.data() + at, peer.in.size() - at);
    std::size_t size = wire::decode_header(rest, header);
    if (size == 0 || rest.size() - size < header.length) break;
    if (header.opcode == 9) {
      auto pong = wire::make_control(wire::Opcode::pong,
                                     rest.subspan(size, static_cast<std::size_t>(header.length)),
                                     {true, {1, 2, 3, 4}});
      peer.out.append(pong.bytes.data(), pong.size);
    } else if (header.opcode < 8) {
      ++count;
    }
    at += size + static_cast<std::size_t>(header.length);
  }
  peer.in.erase(0, at);
  return count;
}

// Runs the connections until `end`; `send` keeps messages in flight, else only Pings are answered.
std::uint64_t run(int poll, std::vector<Peer>& peers, const std::string& message,
                  Clock::time_point end, bool send) {
  std::uint64_t done = 0;
  epoll_event events[512];
  while (Clock::now() < end) {
    int count = epoll_wait(poll, events, 512, 100);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u32 == UINT32_MAX) return done;  // standard input ended
      Peer& peer = peers[events[i].data.u32];
      if (!peer.receive()) die("a connection ended");
      unsigned frames = take_frames(peer);
      done += frames;
      for (unsigned k = 0; send && k < frames; ++k) peer.out += message;
      if (!peer.flush()) die("a connection ended");
      if (!peer.out.empty()) {  // the proxy pushes back: look again when it takes more
        epoll_event again{EPOLLIN | EPOLLOUT, {}};
        again.data.u32 = events[i].data.u32;
        epoll_ctl(poll, EPOLL_CTL_MOD, peer.fd, &again);
      } else if ((events[i].events & EPOLLOUT) != 0) {
        epoll_event again{EPOLLIN, {}};
        again.data.u32 = events[i].data.u32;
        epoll_ctl(poll, EPOLL_CTL_MOD, peer.fd, &again);
      }
    }
  }
  return done;
}

}  // namespace

int run_load(const LoadOptions& options) {
  SSL_CTX* context = options.tls ? SSL_CTX_new(TLS_client_method()) : nullptr;
  int poll = epoll_create1(0);
  std::vector<Peer> peers;
  for (unsigned i = 0; i < options.connections; ++i) {
    peers.push_back(open_peer(options, context));
    epoll_event watch{EPOLLIN, {}};
    watch.data.u32 = i;
    epoll_ctl(poll, EPOLL_CTL_ADD, peers.back().fd, &watch);
  }
  std::printf("open %u\n", options.connections);
  std::fflush(stdout);
  std::string message = make_message(options.size);
  if (options.idle) {
    epoll_event watch{EPOLLIN, {}};
    watch.data.u32 = UINT32_MAX;
    epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &watch);
    run(poll, peers, message, Clock::time_point::max(), false);
    return 0;
  }
  for (Peer& peer : peers) {
    for (unsigned k = 0; k < options.in_flight; ++k) peer.out += message;
    if (!peer.flush()) die("a connection ended");
  }
  auto begin = Clock::now();
  run(poll, peers, message, begin + std::chrono::milliseconds(300), true);  // until it runs evenly
  std::printf("warm\n");
  std::fflush(stdout);
  begin = Clock::now();
  std::uint64_t done = run(poll, peers, message,
                           begin + std::chrono::duration_cast<Clock::duration>(
                                       std::chrono::duration<double>(options.seconds)),
                           true);
  std::printf("done %llu %.6f\n", static_cast<unsigned long long>(done),
              std::chrono::duration<double>(Clock::now() - begin).count());
  return 0;
}

}  // namespace fairlead::bench
