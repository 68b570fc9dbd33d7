// The drain jobs with real workers: sockets over loopback, this thread is the main one.

#include "proxy/edge/drainer.h"

#include <poll.h>

#include "tests/support/catch.h"
#include "tests/support/flow_rig.h"

namespace fairlead::test {
namespace {

constexpr int kPatienceMs = 20'000;
constexpr std::string_view kHandshake =
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

net::Bound listening() {
  conf::Address address;
  address.ip = conf::Ip::v4(0x7f000001);
  net::Bound bound = net::listen_on(address);
  REQUIRE(bound.fd);
  return bound;
}

int connect_to(std::uint16_t port) {
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

}  // namespace

TEST_CASE("drainer: a server's sessions are moved, and only they", "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 8; ++i) sessions.push_back(process.open());
  const auto id = process.drainer->drain(process.server(0));
  CHECK(process.drainer->drain(process.server(0)) == id);  // twice is once
  CHECK(process.chosen(id).total == 4);
  CHECK(process.chosen(id).what.substr(0, 15) == "chat/127.0.0.1:");
  for (const Session& session : sessions) {
    if (session.server != 0) continue;
    CHECK(session.client->close_code(kPatienceMs) == 1012);
    CHECK(session.backend->close_code(kPatienceMs) != 0);
  }
  for (int i = 0; i < 4; ++i) sessions.push_back(process.open());
  for (std::size_t i = 8; i < sessions.size(); ++i) CHECK(sessions[i].server == 1);
  for (const Session& session : sessions) {
    if (session.server == 1) CHECK_FALSE(session.client->readable(0));
  }
  CHECK(process.drainer->undo(process.server(0)));
  CHECK_FALSE(process.drainer->undo(process.server(0)));
  CHECK_FALSE(process.drainer->undo(id));
  CHECK(process.drainer->progress().empty());
  CHECK(process.open().server == 0);
}

TEST_CASE("drainer: what is undone in time stays open", "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 12; ++i) sessions.push_back(process.open());
  const auto id = process.drainer->drain(process.server(1), conf::Rate{0.001, 1});
  const auto progress = process.chosen(id);
  CHECK(progress.total == 6);
  CHECK(progress.left == 6);
  CHECK(progress.rate == 0.001);
  CHECK(process.drainer->undo(id));
  const auto again = process.drainer->drain(process.server(0));  // behind the undo in each worker
  process.chosen(again);
  for (const Session& session : sessions)
    CHECK(session.client->close_code(session.server == 0 ? kPatienceMs : 0) ==
          (session.server == 0 ? 1012 : 0));
}

TEST_CASE("drainer: a route's sessions, until it is undone", "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 5; ++i) sessions.push_back(process.open());
  edge::Scope scope;
  scope.kind = GENERATE(edge::Scope::Kind::route, edge::Scope::Kind::listener);
  const bool route = scope.kind == edge::Scope::Kind::route;
  scope.name = "other";
  CHECK(process.chosen(process.drainer->drain(scope)).total == 0);
  CHECK(process.drainer->undo(scope));
  scope.name = route ? "chat" : process.runtime->listeners()[0].name;
  const edge::Gate& gate =
      route ? *process.runtime->routes()[0].gate : *process.runtime->listeners()[0].gate;
  CHECK_FALSE(gate.closed);
  CHECK(process.chosen(process.drainer->drain(scope)).total == 5);
  CHECK(gate.closed);
  process.expect_moved(sessions);
  REQUIRE(process.refused());
  CHECK(process.drainer->find(scope));
  CHECK(process.drainer->undo(scope));
  CHECK_FALSE(gate.closed);
  process.open();
}

TEST_CASE("drainer: all sessions, and then the job is over", "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 5; ++i) sessions.push_back(process.open());
  CHECK(process.chosen(process.drainer->drain({})).total == 5);
  process.expect_moved(sessions);
  while (!process.drainer->progress().empty()) process.loop.turn(true);
}

TEST_CASE("drainer: another rate is taken on the way", "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 12; ++i) sessions.push_back(process.open());
  const auto id = process.drainer->drain(process.server(1), conf::Rate{0.001, 1});
  CHECK(process.chosen(id).left == 6);
  CHECK(process.drainer->drain(process.server(1)) == id);  // says nothing of the rate
  CHECK(process.chosen(id).rate == 0.001);
  CHECK(process.drainer->drain(process.server(1), conf::Rate{0.002, 1}) == id);
  CHECK(process.chosen(id).left == 6);
  CHECK(process.drainer->drain(process.server(1), conf::Rate{}) == id);  // at once
  CHECK(process.chosen(id).rate == 0);
  for (const Session& session : sessions) {
    CHECK(session.client->close_code(session.server == 1 ? kPatienceMs : 0) ==
          (session.server == 1 ? 1012 : 0));
  }
  const auto progress = process.chosen(id);
  CHECK(progress.total == 6);  // nobody is counted twice
  CHECK(progress.told == 6);
}

TEST_CASE("drainer: undone, or paced anew, before the workers have counted", "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 8; ++i) sessions.push_back(process.open());
  const auto first = process.drainer->drain(process.server(0));
  CHECK(process.drainer->undo(first));
  const auto second = process.drainer->drain(process.server(0), conf::Rate{0.001, 1});
  CHECK(second != first);
  CHECK_FALSE(process.drainer->undo(first));
  CHECK(process.drainer->drain(process.server(0), conf::Rate{0.002, 1}) == second);
  CHECK(process.drainer->drain(process.server(0), conf::Rate{0.003, 1}) == second);
  const auto progress = process.chosen(second);
  CHECK(progress.total == 4);
  CHECK(progress.left == 4);
  CHECK(progress.rate == 0.003);
  for (const Session& session : sessions) CHECK_FALSE(session.client->readable(0));
}

TEST_CASE("drainer: the stop's rate is another one on the way", "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 4; ++i) sessions.push_back(process.open());
  const auto deadline = process.loop.now() + std::chrono::hours(1);
  process.drainer->stop(deadline, conf::Rate{0.001, 1});
  const auto id = process.drainer->find({})->id;
  CHECK(process.chosen(id).left == 4);
  process.drainer->stop(deadline);
  CHECK(process.chosen(id).rate == 0.001);
  process.drainer->stop(deadline, conf::Rate{});
  CHECK(process.chosen(id).total == 4);
  for (Session& session : sessions) {
    CHECK(session.client->close_code(kPatienceMs) == 1001);
    session.client.reset();
    session.backend.reset();
  }
  while (process.drainer->find({})) process.loop.turn(true);
  process.drainer->stop(deadline, conf::Rate{1, 1});
  CHECK_FALSE(process.drainer->find({}));
}

TEST_CASE("drainer: a hand-over moves sessions, late comers too, and takes another rate",
          "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 4; ++i) sessions.push_back(process.open());
  conf::Config slow = process.config;
  slow.server.drain.rate = conf::Rate{0.001, 1};
  process.reload(slow);
  const auto deadline = process.loop.now() + std::chrono::hours(1);
  process.drainer->hand_over(deadline);
  CHECK(process.drainer->ending());
  const auto id = process.drainer->find({})->id;
  CHECK(process.chosen(id).left == 4);
  CHECK_FALSE(process.drainer->undo(id));
  process.drainer->stop(deadline, conf::Rate{});
  CHECK(process.chosen(id).total == 4);
  for (Session& session : sessions) CHECK(session.client->close_code(kPatienceMs) == 1012);
  const Session late = process.open();
  CHECK(late.client->close_code(kPatienceMs) == 1012);
}

TEST_CASE("drainer: of two drains the sooner one has a session", "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 8; ++i) sessions.push_back(process.open());
  edge::Scope route;
  route.kind = edge::Scope::Kind::route;
  route.name = "chat";
  const auto slow = process.drainer->drain(route, conf::Rate{0.001, 1});
  CHECK(process.chosen(slow).left == 8);
  const auto fast = process.drainer->drain(process.server(0));
  CHECK(process.chosen(fast).total == 4);
  for (const Session& session : sessions) {
    if (session.server == 0) CHECK(session.client->close_code(kPatienceMs) == 1012);
  }
  CHECK(process.drainer->find(route)->total == 4);
  CHECK(process.drainer->undo(fast));
  CHECK(process.drainer->find(route)->left == 4);
}

TEST_CASE("drainer: a server that a reload removes is drained to its end", "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 4; ++i) sessions.push_back(process.open());
  const auto server = process.server(0);
  const auto id = process.drainer->drain(server, conf::Rate{0.001, 1});
  CHECK(process.chosen(id).left == 2);
  conf::Config config = process.runtime->config();
  config.backends[0].servers.erase(config.backends[0].servers.begin());
  auto made = edge::Runtime::make(config, nullptr, process.runtime.get());
  REQUIRE(made.error == "");
  process.drainer->use(made.runtime);
  CHECK(process.drainer->find(server)->left == 2);  // it goes on
  for (Session& session : sessions) {
    session.client.reset();
    session.backend.reset();
  }
  while (!process.drainer->progress().empty()) process.loop.turn(true);
  CHECK(server.server->admin == balance::AdminState::ready);
  CHECK_FALSE(process.drainer->undo(id));
}

TEST_CASE("drainer: a route keeps its gate through a reload, one that comes back is open",
          "[flow][drainer]") {
  Process process;
  edge::Scope route;
  route.kind = edge::Scope::Kind::route;
  route.name = "chat";
  const Session session = process.open();
  process.chosen(process.drainer->drain(route, conf::Rate{0.001, 1}));
  process.reload(process.config);
  CHECK(process.runtime->routes()[0].gate->closed);
  conf::Config other = process.config;
  other.routes[0].name = "other";
  process.reload(other);
  CHECK_FALSE(process.runtime->routes()[0].gate->closed);
  CHECK(process.drainer->find(route));
  process.reload(process.config);
  CHECK_FALSE(process.runtime->routes()[0].gate->closed);
  CHECK_FALSE(process.drainer->find(route));
  CHECK_FALSE(session.client->readable(20));
}

TEST_CASE("drainer: a removed server's job ends by itself, what comes back is ready",
          "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 4; ++i) sessions.push_back(process.open());
  conf::Config without = process.config;
  without.backends[0].servers.erase(without.backends[0].servers.begin());
  process.reload(without);
  CHECK(process.only().total == 2);
  for (Session& session : sessions) {
    if (session.server != 0) continue;
    CHECK(session.client->close_code(kPatienceMs) == 1012);
    session.client.reset();
    session.backend.reset();
  }
  while (!process.drainer->progress().empty()) process.loop.turn(true);
  // And again, at a rate that tells nobody, and with a drain that was asked for.
  process.reload(process.config);
  sessions.push_back(process.open());
  REQUIRE(sessions.back().server == 0);
  const bool asked = GENERATE(false, true);
  if (asked) process.chosen(process.drainer->drain(process.server(0), conf::Rate{0.001, 1}));
  without.server.drain.rate = conf::Rate{0.001, 1};
  process.reload(without);
  CHECK(process.only().left == 1);
  process.reload(process.config);
  CHECK(process.drainer->progress().empty());
  CHECK(process.server(0).server->admin == balance::AdminState::ready);
  CHECK_FALSE(sessions.back().client->readable(50));
  CHECK(process.open().server == 0);
}

TEST_CASE("drainer: what the route wants of its sessions is done", "[flow][drainer]") {
  using Policy = conf::Route::OnRemoval;
  const auto [policy, jobs] = GENERATE(std::pair(Policy::keep, 0), std::pair(Policy::drain, 1),
                                       std::pair(Policy::close, 1));
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 3; ++i) sessions.push_back(process.open());
  conf::Config next = process.config;
  next.server.drain.rate = conf::Rate{0.001, 1};
  next.routes[0].on_removal = policy;
  process.reload(next);
  next.routes[0].name = "other";
  process.reload(next);
  const auto progress = process.drainer->progress();
  REQUIRE(progress.size() == static_cast<std::size_t>(jobs));
  if (jobs == 0) {
    CHECK_FALSE(sessions[0].client->readable(50));
    return;
  }
  CHECK(progress[0].what == "route chat");
  CHECK(progress[0].rate == (policy == Policy::close ? 0 : 0.001));
  CHECK(process.only().total == 3);
  for (const Session& session : sessions) {
    if (policy == Policy::close) CHECK(session.client->close_code(kPatienceMs) == 1012);
    if (policy == Policy::drain) CHECK_FALSE(session.client->readable(20));
  }
}

TEST_CASE("drainer: at the process's end what the rate leaves goes at the last call",
          "[flow][drainer]") {
  Process process;
  std::vector<Session> sessions;
  for (int i = 0; i < 6; ++i) sessions.push_back(process.open());
  const auto id = process.drainer->drain(process.server(1), conf::Rate{0.001, 1});
  process.chosen(id);
  process.drainer->stop(process.loop.now() + std::chrono::milliseconds(200));
  CHECK_FALSE(process.drainer->undo(id));
  process.loop.turn(true);
  for (const Session& session : sessions) {
    pollfd main{session.client->fd.get(), POLLIN, 0};
    while (poll(&main, 1, 0) == 0) process.loop.turn(false);
    CHECK(session.client->close_code(kPatienceMs) == 1001);
  }
}

}  // namespace fairlead::test
