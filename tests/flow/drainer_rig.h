#pragma once
// A process's main thread and two workers, with clients and servers in our hand.

#include "proxy/edge/drainer.h"

#include <poll.h>

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test::drainer {

inline constexpr int kPatienceMs = 20'000;
inline constexpr std::string_view kHandshake =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// A descriptor that is waited for.
struct End {
  explicit End(int of) : fd(of) {}

  bool readable(int ms) const {
    pollfd one{fd.get(), POLLIN, 0};
    return poll(&one, 1, ms) == 1;
  }

  void send(std::string_view bytes) const {
    REQUIRE(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }

  std::string read_head() const {
    std::string head;
    char one = 0;
    while (head.find("\r\n\r\n") == std::string::npos) {
      REQUIRE(readable(kPatienceMs));
      REQUIRE(recv(fd.get(), &one, 1, 0) == 1);
      head += one;
    }
    return head;
  }

  // The code of the Close that comes within that time; 0: none came.
  int close_code(int ms) const {
    if (!readable(ms)) return 0;
    std::array<unsigned char, 200> bytes{};
    const auto n = recv(fd.get(), bytes.data(), bytes.size(), 0);
    if (n < 4 || (bytes[0] & 15) != 8) return -1;
    return bytes[2] * 256 + bytes[3];
  }

  net::Fd fd;
};

struct Session {
  std::unique_ptr<End> client;
  std::unique_ptr<End> backend;
  std::size_t server = 0;
};

inline net::Bound listening() {
  conf::Address address;
  address.ip = conf::Ip::v4(0x7f000001);
  net::Bound bound = net::listen_on(address);
  REQUIRE(bound.fd);
  return bound;
}

inline int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

// Two workers, two servers, a drainer.
struct Process {
  Process() {
    servers.push_back(listening());
    servers.push_back(listening());
    config.listeners.emplace_back().address.ip = conf::Ip::v4(0x7f000001);
    config.routes.emplace_back().backend = "chat";
    config.routes[0].name = "chat";
    config.backends.emplace_back().name = "chat";
    for (const net::Bound& server : servers)
      config.backends[0].servers.emplace_back().address = server.address;
    auto made = edge::Runtime::make(config);
    REQUIRE(made.error == "");
    net::Bound bound = listening();
    port = bound.address.port;
    made.runtime->set_bound(0, bound.address, 1);
    runtime = made.runtime;
    socket = std::make_shared<const edge::Listening>(
        edge::Listening{std::move(bound.fd), bound.address, 1});
    for (unsigned i = 0; i < 2; ++i)
      shared.workers.push_back(std::make_unique<edge::Worker>(shared, i, 1));
    drainer = std::make_unique<edge::Drainer>(loop, mailbox, shared, runtime);
    for (auto& worker : shared.workers) {
      worker->take({runtime, {socket}}, nullptr);
      worker->start();
    }
  }

  ~Process() {
    for (auto& worker : shared.workers) worker->stop();
    for (auto& worker : shared.workers) worker->join();
  }

  Session open() {
    Session session;
    session.client = std::make_unique<End>(connect_to(port));
    session.client->send(kHandshake);
    pollfd both[2] = {{servers[0].fd.get(), POLLIN, 0}, {servers[1].fd.get(), POLLIN, 0}};
    REQUIRE(poll(both, 2, kPatienceMs) > 0);
    session.server = both[0].revents != 0 ? 0 : 1;
    session.backend =
        std::make_unique<End>(accept(servers[session.server].fd.get(), nullptr, nullptr));
    session.backend->read_head();
    session.backend->send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    const std::string head = session.client->read_head();
    REQUIRE(head.substr(0, 12) == "HTTP/1.1 101");
    return session;
  }

  // As a reload does it.
  void reload(const conf::Config& next) {
    auto made = edge::Runtime::make(next, nullptr, runtime.get());
    REQUIRE(made.error == "");
    made.runtime->set_bound(0, socket->address, 1);
    const auto before = std::exchange(runtime, made.runtime);
    runtime->take_effect();
    drainer->use(runtime);
    for (auto& worker : shared.workers) worker->take({runtime, {socket}}, nullptr);
    drainer->removed(*before, *runtime, edge::compare(*before, *runtime));
  }

  // The one job there is, once the workers have chosen.
  edge::Drainer::Progress only() {
    REQUIRE(drainer->progress().size() == 1);
    return chosen(drainer->progress()[0].id);
  }

  // A handshake is answered 503.
  bool refused() {
    End client(connect_to(port));
    client.send(kHandshake);
    const std::string head = client.read_head();
    INFO(head);
    return head.substr(0, 12) == "HTTP/1.1 503" && head.find("Retry-After:") != head.npos;
  }

  static void expect_moved(std::vector<Session>& sessions) {
    for (Session& session : sessions) {
      CHECK(session.client->close_code(kPatienceMs) == 1012);
      session.client.reset();
      session.backend.reset();
    }
  }

  edge::Scope server(std::size_t i) {
    const auto& pool = runtime->routes()[0].pool;
    return {edge::Scope::Kind::server, "", pool->servers()[i], pool->name()};
  }

  // Until the workers have chosen.
  edge::Drainer::Progress chosen(std::uint32_t id) {
    for (;;) {
      for (const auto& one : drainer->progress())
        if (one.id == id && one.counted) return one;
      loop.turn(true);
    }
  }

  std::vector<net::Bound> servers;
  std::shared_ptr<const edge::Listening> socket;
  conf::Config config;
  std::uint16_t port = 0;
  edge::Shared shared;
  net::Loop loop;
  net::Mailbox mailbox{loop};
  std::shared_ptr<edge::Runtime> runtime;
  std::unique_ptr<edge::Drainer> drainer;
};

}  // namespace fairlead::test::drainer
