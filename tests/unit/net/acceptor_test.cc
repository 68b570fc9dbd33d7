#include "proxy/net/acceptor.h"

#include <sys/resource.h>

#include "tests/support/catch.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

Bound listen_somewhere() {
  conf::Address address;
  address.kind = conf::Address::Kind::ip;
  address.ip = conf::Ip::v4(INADDR_LOOPBACK);
  return listen_on(address);
}

struct Arrivals final : Acceptor::Handler {
  void on_accept(Fd fd, const PeerAddress& peer, std::size_t tag) override {
    fds.push_back(std::move(fd));
    last = peer;
    last_tag = tag;
  }

  void on_accept_paused(int error_number) override {
    ++pauses;
    error = error_number;
  }

  std::vector<Fd> fds;
  PeerAddress last;
  std::size_t last_tag = 0;
  int pauses = 0;
  int error = 0;
};

Fd connect_to(const conf::Address& address) {
  SocketAddress raw{};
  socklen_t size = to_sockaddr(address, raw);
  Fd fd(socket(AF_INET, SOCK_STREAM, 0));
  REQUIRE(connect(fd.get(), &raw.any, size) == 0);
  return fd;
}

// The process may open no more descriptors while this lives.
struct NoMoreFds {
  NoMoreFds() {
    getrlimit(RLIMIT_NOFILE, &before);
    int next = dup(0);
    ::close(next);
    rlimit low = before;
    low.rlim_cur = static_cast<rlim_t>(next);
    setrlimit(RLIMIT_NOFILE, &low);
  }

  ~NoMoreFds() { setrlimit(RLIMIT_NOFILE, &before); }

  rlimit before{};
};

}  // namespace

TEST_CASE("acceptor: hands over descriptors with their peers and its tag", "[net][acceptor]") {
  Loop loop;
  Arrivals arrivals;
  Bound bound = listen_somewhere();
  Acceptor acceptor(loop, bound.fd.get(), 7, arrivals);
  Fd client = connect_to(bound.address);
  loop.turn(true);
  REQUIRE(arrivals.fds.size() == 1);
  CHECK(arrivals.last_tag == 7);
  CHECK(arrivals.last.ip == conf::Ip::v4(INADDR_LOOPBACK));
  SocketAddress raw{};
  socklen_t size = sizeof raw;
  getsockname(client.get(), &raw.any, &size);
  CHECK(arrivals.last.port == to_peer(raw).port);
}

TEST_CASE("acceptor: a storm of connects is taken in batches, all of it", "[net][acceptor]") {
  Loop loop;
  Arrivals arrivals;
  Bound bound = listen_somewhere();
  Acceptor acceptor(loop, bound.fd.get(), 0, arrivals);
  std::vector<Fd> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(connect_to(bound.address));
  loop.turn(true);
  CHECK(arrivals.fds.size() >= 1);
  CHECK(arrivals.fds.size() < 40);
  for (int i = 0; i < 10; ++i) loop.turn(false);
  CHECK(arrivals.fds.size() == 40);
}

TEST_CASE("acceptor: out of descriptors it pauses, and comes back by itself", "[net][acceptor]") {
  Loop loop;
  Arrivals arrivals;
  Bound bound = listen_somewhere();
  Acceptor acceptor(loop, bound.fd.get(), 0, arrivals);
  auto resume = [&] {
    loop.advance_clock(300ms);
    loop.turn(false);
    loop.turn(false);
  };
  Fd first = connect_to(bound.address);
  // (UBSan opens a pipe at the first virtual call of a kind: no CHECK under the limit.)
  {
    NoMoreFds limit;
    for (int i = 0; i < 5; ++i) loop.turn(false);
  }
  CHECK(arrivals.pauses == 1);  // it does not spin
  CHECK(arrivals.error == EMFILE);
  CHECK(arrivals.fds.empty());
  resume();
  CHECK(arrivals.fds.size() == 1);

  // A second time, longer than one pause.
  Fd second = connect_to(bound.address);
  {
    NoMoreFds limit;
    loop.turn(false);
    resume();
  }
  CHECK(arrivals.pauses == 3);
  CHECK(arrivals.fds.size() == 1);
  resume();
  CHECK(arrivals.fds.size() == 2);
}

TEST_CASE("acceptor: a connection that ended before it was accepted does no harm",
          "[net][acceptor]") {
  Loop loop;
  Arrivals arrivals;
  Bound bound = listen_somewhere();
  Acceptor acceptor(loop, bound.fd.get(), 0, arrivals);
  for (int i = 0; i < 3; ++i) {
    Fd client = connect_to(bound.address);
    linger hard{1, 0};
    setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  Fd stays = connect_to(bound.address);
  for (int i = 0; i < 5; ++i) loop.turn(false);
  CHECK_FALSE(arrivals.fds.empty());
  CHECK(arrivals.pauses == 0);
}

TEST_CASE("acceptor: destroyed, it accepts no more", "[net][acceptor]") {
  Loop loop;
  Arrivals arrivals;
  Bound bound = listen_somewhere();
  { Acceptor acceptor(loop, bound.fd.get(), 0, arrivals); }
  Fd client = connect_to(bound.address);
  loop.turn(false);
  CHECK(arrivals.fds.empty());
}

}  // namespace fairlead::net
