#include "proxy/net/connector.h"

#include <functional>

#include "tests/support/catch.h"
#include "tests/support/tcp_options.h"
#include "tests/support/temp_directory.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

conf::Address loopback(std::uint16_t port) {
  conf::Address address;
  address.kind = conf::Address::Kind::ip;
  address.ip = conf::Ip::v4(INADDR_LOOPBACK);
  address.port = port;
  return address;
}

struct Outcome final : Connector::Handler {
  void on_connected(std::unique_ptr<Stream> made) override {
    ++calls;
    stream = std::move(made);
  }

  void on_connect_failed(int error_number) override {
    ++calls;
    error = error_number;
    if (then) then();
  }

  int calls = 0;
  int error = 0;
  std::unique_ptr<Stream> stream;
  std::function<void()> then;
};

// A listener whose queue is full: the next connect gets no answer.
struct Deaf {
  Deaf() {
    bound = listen_on(loopback(0));
    listen(bound.fd.get(), 0);
    SocketAddress raw{};
    socklen_t size = to_sockaddr(bound.address, raw);
    for (int i = 0; i < 4; ++i) {
      fillers.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      connect(fillers.back().get(), &raw.any, size);
    }
  }

  Bound bound;
  std::vector<Fd> fillers;
};

void turn_until(Loop& loop, const Outcome& outcome) {
  for (int i = 0; i < 100 && outcome.calls == 0; ++i) loop.turn(true);
}

}  // namespace

TEST_CASE("connector: gives a stream that is connected", "[net][connector]") {
  Loop loop;
  Outcome outcome;
  Connector connector(loop, outcome);
  Bound bound = listen_on(loopback(0));
  connector.start(bound.address, loop.now() + 5s);
  CHECK(outcome.calls == 0);
  turn_until(loop, outcome);
  REQUIRE(outcome.stream);
  CHECK(outcome.stream->write(std::string_view("hello")));
  Fd accepted(accept(bound.fd.get(), nullptr, nullptr));
  char buffer[8];
  CHECK(recv(accepted.get(), buffer, sizeof buffer, 0) == 5);
  loop.advance_clock(10s);  // its deadline is no more
  loop.turn(false);
  CHECK(outcome.calls == 1);
}

TEST_CASE("connector: a refusal comes from the loop, with its number", "[net][connector]") {
  Loop loop;
  Outcome outcome;
  Connector connector(loop, outcome);
  conf::Address nobody = listen_on(loopback(0)).address;
  connector.start(nobody, loop.now() + 5s);
  CHECK(outcome.calls == 0);
  turn_until(loop, outcome);
  CHECK(outcome.error == ECONNREFUSED);
}

TEST_CASE("connector: no answer until the deadline is ETIMEDOUT", "[net][connector]") {
  Loop loop;
  Outcome outcome;
  Deaf deaf;
  Connector connector(loop, outcome);
  connector.start(deaf.bound.address, loop.now() + 5s);
  loop.turn(false);
  loop.advance_clock(4s);
  loop.turn(false);
  CHECK(outcome.calls == 0);
  loop.advance_clock(1s + 8ms);
  loop.turn(false);
  CHECK(outcome.error == ETIMEDOUT);
  loop.turn(false);
  CHECK(outcome.calls == 1);
}

TEST_CASE("connector: cancelled or destroyed, no outcome comes", "[net][connector]") {
  Loop loop;
  Outcome outcome;
  Bound bound = listen_on(loopback(0));
  {
    Connector connector(loop, outcome);
    connector.start(bound.address, loop.now() + 1s);
    connector.cancel();
    connector.cancel();
    Connector destroyed(loop, outcome);
    destroyed.start(bound.address, loop.now() + 1s);
    Connector failed(loop, outcome);
    failed.start(listen_on(loopback(0)).address, loop.now() + 1s);
    failed.cancel();
  }
  loop.advance_clock(5s);
  loop.turn(false);
  loop.turn(false);
  CHECK(outcome.calls == 0);
}

TEST_CASE("connector: a handler may start it anew", "[net][connector]") {
  Loop loop;
  Outcome outcome;
  Connector connector(loop, outcome);
  Bound bound = listen_on(loopback(0));
  conf::Address nobody = listen_on(loopback(0)).address;
  outcome.then = [&] { connector.start(bound.address, loop.now() + 5s); };
  connector.start(nobody, loop.now() + 5s);
  for (int i = 0; i < 100 && outcome.calls < 2; ++i) loop.turn(true);
  CHECK(outcome.error == ECONNREFUSED);
  CHECK(outcome.stream);
}

TEST_CASE("connector: a handler may destroy it", "[net][connector]") {
  Loop loop;
  Outcome outcome;
  auto connector = std::make_unique<Connector>(loop, outcome);
  outcome.then = [&] { connector.reset(); };
  connector->start(listen_on(loopback(0)).address, loop.now() + 5s);
  turn_until(loop, outcome);
  CHECK(outcome.calls == 1);
  CHECK_FALSE(connector);
}

TEST_CASE("connector: unix paths, there and not there", "[net][connector]") {
  test::TempDirectory directory;
  conf::Address address;
  address.kind = conf::Address::Kind::unix_path;
  address.host = directory.path + "/s";
  Loop loop;
  {
    Outcome outcome;
    Connector connector(loop, outcome);
    connector.start(address, loop.now() + 5s);
    CHECK(outcome.calls == 0);
    turn_until(loop, outcome);
    CHECK(outcome.error == ENOENT);
  }
  Bound bound = listen_on(address);
  {
    Outcome outcome;
    Connector connector(loop, outcome);
    connector.start(address, loop.now() + 5s);
    turn_until(loop, outcome);
    CHECK(outcome.stream);
  }
  {
    Outcome outcome;
    Connector connector(loop, outcome);
    address.host = "/" + std::string(200, 'x');
    connector.start(address, loop.now() + 5s);
    turn_until(loop, outcome);
    CHECK(outcome.calls == 1);
    CHECK(outcome.error != 0);
  }
}

TEST_CASE("connector: a connection is made with the loop's timeouts", "[net][connector]") {
  Bound listening = listen_on(loopback(0));
  Loop loop;
  loop.set_tcp_timeouts({20s, 90s});
  Outcome outcome;
  Connector connector(loop, outcome);
  connector.start(listening.address, loop.now() + 5s);
  turn_until(loop, outcome);
  REQUIRE(outcome.stream);
  const Fd fd(outcome.stream->release_fd());
  CHECK(test::tcp_options(fd.get()) == test::TcpOptions{1, 20, 5, 4, 90'000});
}

}  // namespace fairlead::net
