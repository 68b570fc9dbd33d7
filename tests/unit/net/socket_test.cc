#include "proxy/net/socket.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include "tests/support/catch.h"
#include "tests/support/tcp_options.h"
#include "tests/support/temp_directory.h"

namespace fairlead::net {
namespace {

conf::Address tcp(std::uint16_t port = 0) {
  conf::Address address;
  address.kind = conf::Address::Kind::ip;
  address.ip = conf::Ip::v4(INADDR_LOOPBACK);
  address.port = port;
  return address;
}

conf::Address unix_path(std::string path) {
  conf::Address address;
  address.kind = conf::Address::Kind::unix_path;
  address.host = std::move(path);
  return address;
}

using Directory = test::TempDirectory;

bool can_connect(const conf::Address& address) {
  SocketAddress raw{};
  socklen_t size = to_sockaddr(address, raw);
  Fd fd(socket(raw.any.sa_family, SOCK_STREAM, 0));
  return connect(fd.get(), &raw.any, size) == 0;
}

// A bound socket file whose process is gone, or a datagram socket that lives.
Fd bind_unix(const std::string& path, int type) {
  SocketAddress raw{};
  socklen_t size = to_sockaddr(unix_path(path), raw);
  Fd fd(socket(AF_UNIX, type, 0));
  REQUIRE(bind(fd.get(), &raw.any, size) == 0);
  return fd;
}

}  // namespace

TEST_CASE("socket: listening on port 0 says which port it is", "[net][socket]") {
  Bound bound = listen_on(tcp());
  REQUIRE(bound.error == "");
  CHECK(bound.address.port != 0);
  CHECK(can_connect(bound.address));
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  getsockopt(bound.fd.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
  CHECK(no_delay != 0);
}

TEST_CASE("socket: what is accepted has the timeouts of its listening socket", "[net][socket]") {
  using namespace std::chrono_literals;
  Bound bound = listen_on(tcp());
  REQUIRE(bound.error == "");
  set_tcp_timeouts(bound.fd.get(), {60s, 120s});
  const auto accept_one = [&] {
    SocketAddress raw{};
    const socklen_t size = to_sockaddr(bound.address, raw);
    Fd client(socket(AF_INET, SOCK_STREAM, 0));
    REQUIRE(connect(client.get(), &raw.any, size) == 0);
    return Fd(accept(bound.fd.get(), nullptr, nullptr));
  };
  CHECK(test::tcp_options(accept_one().get()) == test::TcpOptions{1, 60, 15, 4, 120'000});
  // A reload changes them for those that come later.
  set_tcp_timeouts(bound.fd.get(), {1500ms, std::nullopt});
  CHECK(test::tcp_options(accept_one().get()) == test::TcpOptions{1, 2, 1, 4, 0});
  set_tcp_timeouts(bound.fd.get(), {std::nullopt, 5s});
  const test::TcpOptions off = test::tcp_options(accept_one().get());
  CHECK(off.keepalive == 0);
  CHECK(off.user_timeout == 5000);
}

TEST_CASE("socket: an address in use is refused in one line that names it", "[net][socket]") {
  Bound first = listen_on(tcp());
  Bound second = listen_on(first.address);
  CHECK_FALSE(second.fd);
  CHECK(second.error ==
        "cannot listen on " + first.address.text() + ": bind: Address already in use");
}

TEST_CASE("socket: IPv6 loopback", "[net][socket]") {
  conf::Address address = tcp();
  address.ip = conf::Ip{};
  address.ip.bytes[15] = 1;
  Bound bound = listen_on(address);
  if (!bound.error.empty()) return;  // a machine without IPv6
  CHECK(can_connect(bound.address));
}

TEST_CASE("socket: a unix socket is made and answers", "[net][socket]") {
  Directory directory;
  Bound bound = listen_on(unix_path(directory.path + "/s"));
  REQUIRE(bound.error == "");
  CHECK(can_connect(bound.address));
}

TEST_CASE("socket: a unix socket left behind by a dead process is replaced", "[net][socket]") {
  Directory directory;
  const std::string path = directory.path + "/s";
  { Bound dead = listen_on(unix_path(path)); }
  Bound bound = listen_on(unix_path(path));
  REQUIRE(bound.error == "");
  CHECK(can_connect(bound.address));
}

TEST_CASE("socket: a unix socket that answers is in use, and goes on answering", "[net][socket]") {
  Directory directory;
  Bound first = listen_on(unix_path(directory.path + "/s"));
  Bound second = listen_on(first.address);
  CHECK_FALSE(second.fd);
  CHECK(second.error.find("Address already in use") != std::string::npos);
  CHECK(can_connect(first.address));
}

TEST_CASE("socket: somebody else's datagram socket is not stale", "[net][socket]") {
  Directory directory;
  const std::string path = directory.path + "/s";
  Fd datagram = bind_unix(path, SOCK_DGRAM);
  Bound bound = listen_on(unix_path(path));
  CHECK_FALSE(bound.fd);

  struct stat file {};

  CHECK(stat(path.c_str(), &file) == 0);
}

TEST_CASE("socket: a file that is no socket stays", "[net][socket]") {
  Directory directory;
  const std::string path = directory.path + "/s";
  ::close(::creat(path.c_str(), 0600));
  Bound bound = listen_on(unix_path(path));
  CHECK_FALSE(bound.fd);
  CHECK(bound.error.find("Address already in use") != std::string::npos);

  struct stat file {};

  CHECK(stat(path.c_str(), &file) == 0);
}

TEST_CASE("socket: a path that is too long, a directory that is not there", "[net][socket]") {
  CHECK(listen_on(unix_path("/" + std::string(200, 'x'))).error.find("cannot listen on") == 0);
  CHECK(listen_on(unix_path("/nowhere/at/all")).error.find("No such file") != std::string::npos);
}

TEST_CASE("socket: addresses go to the system and back", "[net][socket]") {
  SocketAddress raw{};
  CHECK(to_sockaddr(tcp(8080), raw) == sizeof raw.v4);
  PeerAddress peer = to_peer(raw);
  CHECK(peer.ip == conf::Ip::v4(INADDR_LOOPBACK));
  CHECK(peer.port == 8080);
  CHECK_FALSE(peer.unix_socket);
  to_sockaddr(unix_path("/x"), raw);
  CHECK(to_peer(raw).unix_socket);
  CHECK(to_sockaddr(unix_path(std::string(108, 'x')), raw) == 0);
  CHECK(to_sockaddr(unix_path(std::string(107, 'x')), raw) != 0);
  conf::Address name;
  name.kind = conf::Address::Kind::name;
  CHECK(to_sockaddr(name, raw) == 0);
}

TEST_CASE("socket: resolve knows localhost and says what it does not know", "[net][socket]") {
  std::string error;
  std::vector<conf::Ip> found = resolve("127.0.0.1", error);
  CHECK(found == std::vector<conf::Ip>{conf::Ip::v4(INADDR_LOOPBACK)});
  CHECK(error == "");
}

TEST_CASE("socket: a descriptor has one owner", "[net][socket]") {
  Fd first(socket(AF_UNIX, SOCK_STREAM, 0));
  int number = first.get();
  Fd second = std::move(first);
  CHECK_FALSE(first);  // NOLINT: what a moved-from one is, is part of the contract
  CHECK(second.get() == number);
  second = Fd(socket(AF_UNIX, SOCK_STREAM, 0));
  CHECK(second);
  second.reset();
  CHECK_FALSE(second);
}

}  // namespace fairlead::net
