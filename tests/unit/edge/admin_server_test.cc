#include "proxy/edge/admin_server.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <optional>

#include "proxy/net/socket.h"
#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

// A server that answers every request with its method, path and body, and clients of it. The paths
// /later and /stream are answered by the test.
struct Rig {
  Rig() : bound(net::listen_on(*conf::Address::parse("127.0.0.1:0"))) {
    REQUIRE(bound.fd);
    server.emplace(loop, bound.fd.get(),
                   [this](const wire::RequestHead& head, std::string_view body) {
                     ++requests;
                     if (head.path == "/later") return later();
                     if (head.path == "/stream") return stream();
                     std::string text(head.method);
                     text.append(" ").append(head.path).append(" ").append(body);
                     return observe::AdminAnswer{200, "text/plain", text};
                   });
  }

  observe::AdminAnswer later() {
    observe::AdminAnswer answer;
    answer.later = [this](observe::AdminReply reply) { replies.push_back(std::move(reply)); };
    return answer;
  }

  observe::AdminAnswer stream() {
    observe::AdminAnswer answer;
    answer.stream = [this](std::shared_ptr<observe::EventStream> begun) {
      streams.push_back(std::move(begun));
      streams.back()->on_end([this] { ++ended; });
    };
    return answer;
  }

  net::Fd ask(std::string_view method, std::string_view path) {
    net::Fd fd = connect();
    std::string text(method);
    send(fd, text.append(" ").append(path).append(" HTTP/1.1\r\nHost: a\r\n\r\n"));
    return fd;
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
  std::vector<observe::AdminReply> replies;
  std::vector<std::shared_ptr<observe::EventStream>> streams;
  int ended = 0;
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
  // One more finds a place: the one that has been silent longest gives its own up.
  const net::Fd more = rig.connect();
  rig.send(more, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(status_of(Rig::received(more)) == "HTTP/1.1 200");
  CHECK(Rig::received(clients.front()) == "END");
  CHECK(Rig::received(clients[1]) == "");
  CHECK(rig.server->connections() == AdminServer::kConnections);
  clients.pop_back();
  rig.turns();
  rig.wait(conf::Millis{10});
  CHECK(rig.server->connections() == AdminServer::kConnections - 1);
  const net::Fd again = rig.connect();
  rig.send(again, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(status_of(Rig::received(again)) == "HTTP/1.1 200");
}

TEST_CASE("admin server: out of descriptors, who is slow makes room for a check", "[edge][admin]") {
  Rig rig;
  { const net::Fd gone = rig.connect(); }
  rig.wait(
      conf::Millis{1});  // UBSan looks at each handler's type once, and needs descriptors for it
  const net::Fd slow = rig.connect();
  rig.turns();
  const net::Fd check = rig.connect();
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int next = net::Fd(open("/dev/null", O_RDONLY)).get();  // the lowest that is free
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  rig.send(check, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string told = Rig::received(slow);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  rig.wait(conf::Millis{1000});
  const std::string answer = Rig::received(check);
  CHECK(status_of(answer) == "HTTP/1.1 200");
  CHECK(told == "END");  // its descriptor is free
}

TEST_CASE("admin server: a deferred answer", "[edge][admin]") {
  Rig rig;
  const net::Fd client = rig.ask("GET", "/later");
  const net::Fd half = rig.ask("GET", "/later");
  shutdown(half.get(), SHUT_WR);  // it has sent all it will, and wants the answer
  const net::Fd head = rig.ask("HEAD", "/later");
  REQUIRE(rig.replies.size() == 3);
  rig.send(client, "more");
  CHECK(Rig::received(client).empty());
  for (const observe::AdminReply& reply : rig.replies) reply({201, "text/plain", "late"});
  rig.replies[0]({200, "text/plain", "twice"});
  for (const net::Fd* one : {&client, &half}) {
    const std::string answer = Rig::received(*one);
    CHECK(status_of(answer) == "HTTP/1.1 201");
    CHECK(answer.substr(answer.size() - 11) == "\r\n\r\nlateEND");
  }
  const std::string answer = Rig::received(head);
  CHECK(answer.substr(answer.size() - 7) == "\r\n\r\nEND");
  rig.wait(conf::Millis{10});
  CHECK(rig.server->connections() == 2);  // two have yet to end their side
}

TEST_CASE("admin server: a deferred answer within the handler", "[edge][admin]") {
  Rig rig;
  rig.server.emplace(rig.loop, rig.bound.fd.get(), [](const wire::RequestHead&, std::string_view) {
    observe::AdminAnswer answer;
    answer.later = [](const observe::AdminReply& reply) { reply({200, "text/plain", "now"}); };
    return answer;
  });
  const std::string answer = Rig::received(rig.ask("GET", "/"));
  CHECK(answer.substr(answer.size() - 10) == "\r\n\r\nnowEND");
}

TEST_CASE("admin server: nobody is there for a deferred answer", "[edge][admin]") {
  Rig rig;
  net::Fd gone = rig.ask("GET", "/later");
  const linger reset{1, 0};
  setsockopt(gone.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  gone = net::Fd();
  rig.turns();
  rig.wait(conf::Millis{10});
  CHECK(rig.server->connections() == 0);
  rig.replies[0]({200, "text/plain", "late"});

  const net::Fd client = rig.ask("GET", "/later");
  rig.server.reset();
  rig.replies[1]({200, "text/plain", "later than the server"});
  CHECK(Rig::received(client) == "END");
}

TEST_CASE("admin server: a deferred answer that is too late", "[edge][admin]") {
  Rig rig;
  const net::Fd client = rig.ask("GET", "/later");
  rig.wait(AdminServer::kAnswerTime - conf::Millis{100});
  CHECK(Rig::received(client).empty());
  rig.wait(conf::Millis{200});
  rig.replies[0]({200, "text/plain", "late"});
  const std::string answer = Rig::received(client);
  CHECK(status_of(answer) == "HTTP/1.1 504");
  CHECK(answer.find("late\"") == std::string::npos);
}

TEST_CASE("admin server: a stream of events", "[edge][admin]") {
  Rig rig;
  net::Fd client = rig.ask("GET", "/stream");
  REQUIRE(rig.streams.size() == 1);
  const std::string head = Rig::received(client);
  CHECK(status_of(head) == "HTTP/1.1 200");
  CHECK(head.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(head.find("Content-Length") == std::string::npos);
  CHECK(rig.streams[0]->send(observe::event_text("tick", "{}")));
  CHECK(Rig::received(client) == "event: tick\ndata: {}\n\n");
  rig.wait(AdminServer::kStreamCheck + conf::Millis{100});  // something was sent meanwhile
  CHECK(Rig::received(client).empty());
  rig.wait(AdminServer::kStreamCheck + conf::Millis{100});
  CHECK(Rig::received(client) == ":\n\n");

  client = net::Fd();
  rig.turns();
  rig.wait(conf::Millis{10});
  CHECK(rig.ended == 1);
  CHECK(rig.server->streams() == 0);
  CHECK(rig.server->connections() == 0);
  CHECK_FALSE(rig.streams[0]->send("x"));
}

TEST_CASE("admin server: HEAD of a stream, and a stream that outlives the server",
          "[edge][admin]") {
  Rig rig;
  const net::Fd head = rig.ask("HEAD", "/stream");
  const std::string answer = Rig::received(head);
  CHECK(status_of(answer) == "HTTP/1.1 200");
  CHECK(answer.substr(answer.size() - 7) == "\r\n\r\nEND");
  CHECK(rig.streams.empty());
  const net::Fd client = rig.ask("GET", "/stream");
  rig.server.reset();
  CHECK_FALSE(rig.streams[0]->send("x"));
  rig.streams[0]->on_end([] {});
  rig.streams[0]->end();
}

TEST_CASE("admin server: who never reads a stream loses events, then the stream", "[edge][admin]") {
  Rig rig;
  const net::Fd client = rig.ask("GET", "/stream");
  const std::string event = observe::event_text("tick", std::string(60'000, 'x'));
  for (int i = 0; i < 400; ++i) {
    CHECK(rig.streams[0]->send(event));
    rig.turns(1);
  }
  std::string taken;  // it wakes up: what was kept is whole, the loss is told
  for (int i = 0; i < 200; ++i) {
    taken += Rig::received(client);
    rig.turns(1);
  }
  CHECK(taken.size() < 400 * event.size() / 2);
  CHECK((taken.size() - taken.find("event: ")) % event.size() == 0);
  CHECK(rig.streams[0]->send(event));
  rig.turns();
  const std::string lost = Rig::received(client);
  CHECK(lost.substr(0, 18) == "event: lost\ndata: ");
  CHECK(lost.size() > event.size());

  for (int i = 0; i < 400; ++i) rig.streams[0]->send(event);
  // The first look begins the watch.
  rig.wait(AdminServer::kStreamCheck + conf::Millis{100});
  rig.wait(AdminServer::kStreamStall);
  rig.wait(AdminServer::kStreamCheck + conf::Millis{100});
  rig.wait(conf::Millis{10});
  CHECK(rig.server->connections() == 0);
  CHECK(rig.ended == 1);
}

TEST_CASE("admin server: streams are bounded, and end at a drain", "[edge][admin]") {
  Rig rig;
  std::vector<net::Fd> clients;
  for (std::size_t i = 0; i < AdminServer::kStreams; ++i) {
    clients.push_back(rig.ask("GET", "/stream"));
  }
  CHECK(rig.server->streams() == AdminServer::kStreams);
  const net::Fd more = rig.ask("GET", "/stream");
  CHECK(status_of(Rig::received(more)) == "HTTP/1.1 503");
  rig.streams[3]->end();
  CHECK(Rig::received(clients[3]).find("\r\n\r\nEND") != std::string::npos);
  CHECK(status_of(Rig::received(rig.ask("GET", "/stream"))) == "HTTP/1.1 200");

  rig.server->end_streams();
  rig.wait(conf::Millis{10});
  CHECK(rig.ended == static_cast<int>(AdminServer::kStreams) + 1);
  CHECK(rig.server->streams() == 0);
  for (std::size_t i = 0; i < AdminServer::kStreams; ++i) {
    if (i != 3) CHECK(Rig::received(clients[i]).find("\r\n\r\nEND") != std::string::npos);
    CHECK_FALSE(rig.streams[i]->send("x"));
  }
  clients.clear();
  rig.turns(20);
  rig.wait(conf::Millis{10});
  CHECK(rig.server->connections() <= 1);
}

}  // namespace fairlead::edge
