#include "proxy/edge/admin_server.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <optional>

#include "proxy/net/socket.h"
#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

// A server that answers every request with its method, path and body, and clients of it.
struct Rig {
  Rig() : bound(net::listen_on(*conf::Address::parse("127.0.0.1:0"))) {
    REQUIRE(bound.fd);
    server.emplace(loop, bound.fd.get(),
                   [this](const wire::RequestHead& head, std::string_view body) {
                     ++requests;
                     std::string text(head.method);
                     text.append(" ").append(head.path).append(" ").append(body);
                     return observe::AdminAnswer{200, "text/plain", text};
                   });
  }

  net::Fd connect() const {
    net::SocketAddress raw{};
    const socklen_t size = net::to_sockaddr(bound.address, raw);
    net::Fd fd(socket(AF_INET, SOCK_STREAM, 0));
    REQUIRE(::connect(fd.get(), &raw.any, size) == 0);
    fcntl(fd.get(), F_SETFL, O_NONBLOCK);
    return fd;
  }

  void turns(int count = 5) {
    for (int i = 0; i < count; ++i) loop.turn(false);
  }

  void send(const net::Fd& fd, std::string_view bytes) {
    REQUIRE(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
    turns();
  }

  // What has come; "END" behind it when the server has ended.
  static std::string received(const net::Fd& fd) {
    std::string text;
    char buffer[4096];
    for (;;) {
      const ssize_t n = recv(fd.get(), buffer, sizeof buffer, 0);
      if (n < 0) return text;
      if (n == 0) return text + "END";
      text.append(buffer, static_cast<std::size_t>(n));
    }
  }

  void wait(conf::Millis time) {
    loop.advance_clock(time);
    turns();
  }

  net::Loop loop;
  net::Bound bound;
  int requests = 0;
  std::optional<AdminServer> server;
};

std::string status_of(const std::string& answer) {
  return answer.substr(0, 12);
}

}  // namespace

TEST_CASE("admin server: a request is the same wherever it is cut", "[edge][admin]") {
  const std::string request = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  Rig rig;
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    CAPTURE(cut);
    const net::Fd client = rig.connect();
    rig.turns();
    rig.send(client, request.substr(0, cut));
    rig.send(client, request.substr(cut));
    const std::string answer = Rig::received(client);
    CHECK(status_of(answer) == "HTTP/1.1 200");
    CHECK(answer.find("\r\n\r\nPOST /x abcEND") != std::string::npos);
  }
  CHECK(rig.requests == static_cast<int>(request.size()) - 1);
}

TEST_CASE("admin server: one request a connection, HEAD has no body", "[edge][admin]") {
  Rig rig;
  const net::Fd client = rig.connect();
  rig.send(client, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(rig.requests == 1);
  const net::Fd head = rig.connect();
  rig.send(head, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = Rig::received(head);
  CHECK(answer.find("Content-Length: 7\r\n") != std::string::npos);
  CHECK(answer.substr(answer.size() - 7) == "\r\n\r\nEND");
}

TEST_CASE("admin server: who does not ask in time is let go", "[edge][admin]") {
  Rig rig;
  const net::Fd unused = rig.connect();
  const net::Fd slow = rig.connect();
  const net::Fd body = rig.connect();
  rig.turns();
  rig.send(slow, "GET / HT");
  rig.send(body, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab");
  CHECK(rig.server->connections() == 3);
  rig.wait(AdminServer::kRequestTime - conf::Millis{100});
  CHECK(Rig::received(unused).empty());
  rig.send(slow, "TP/1.1");  // a byte now and then wins no time
  rig.wait(conf::Millis{200});
  CHECK(Rig::received(unused) == "END");
  CHECK(status_of(Rig::received(slow)) == "HTTP/1.1 408");
  CHECK(status_of(Rig::received(body)) == "HTTP/1.1 408");
  CHECK(rig.requests == 0);
  rig.wait(AdminServer::kAnswerTime + conf::Millis{100});  // they never end their side
  rig.wait(conf::Millis{100});
  CHECK(rig.server->connections() == 0);
}

TEST_CASE("admin server: connections are bounded, and counted out", "[edge][admin]") {
  Rig rig;
  std::vector<net::Fd> clients;
  for (std::size_t i = 0; i < AdminServer::kConnections; ++i) {
    clients.push_back(rig.connect());
    rig.turns(1);
  }
  CHECK(rig.server->connections() == AdminServer::kConnections);
  const net::Fd more = rig.connect();
  rig.turns();
  CHECK(Rig::received(more) == "END");
  clients.pop_back();
  rig.turns();
  rig.wait(conf::Millis{10});
  CHECK(rig.server->connections() == AdminServer::kConnections - 1);
  const net::Fd again = rig.connect();
  rig.send(again, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(status_of(Rig::received(again)) == "HTTP/1.1 200");
}

}  // namespace fairlead::edge
