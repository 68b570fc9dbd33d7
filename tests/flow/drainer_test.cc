// The drain jobs with real workers: sockets over loopback, this thread is the main one.

#include "tests/flow/drainer_rig.h"

namespace fairlead::test {

using namespace drainer;

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

TEST_CASE("drainer: a backend that is gone for one reload is no stranger to its sessions",
          "[flow][drainer]") {
  Process process;
  const Session session = process.open();
  const auto server = process.server(session.server);
  conf::Config without = process.config;
  without.backends[0].name = without.routes[0].backend = "other";
  without.server.drain.rate = conf::Rate{0.001, 1};
  process.reload(without);
  while (!process.drainer->find(server)->counted) process.loop.turn(true);
  process.reload(process.config);
  CHECK(process.server(session.server).server == server.server);
  CHECK(process.server(session.server).server->sessions == 1);
  // Its drain is over.
  CHECK_FALSE(process.drainer->find(server));
  CHECK_FALSE(session.client->readable(50));
  // The next goes where there is none yet.
  CHECK(process.open().server != session.server);
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
