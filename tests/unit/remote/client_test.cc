#include "proxy/remote/client.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "proxy/net/socket.h"
#include "tests/support/catch.h"

using namespace fairlead;
using namespace fairlead::remote;

namespace {

// A server for one connection: reads the request's head, sends the answer piece by piece, closes.
class Answering {
 public:
  explicit Answering(std::vector<std::string> pieces)
      : bound_(net::listen_on(*conf::Address::parse("127.0.0.1:0"))) {
    REQUIRE(bound_.fd);
    fcntl(bound_.fd.get(), F_SETFL, 0);  // blocking
    thread_ = std::thread([this, pieces = std::move(pieces)] { serve(pieces); });
  }

  ~Answering() { thread_.join(); }

  Reply ask(const Question& question, const ClientLimits& limits = {}) {
    return remote::ask(bound_.address, question, limits);
  }

  const std::string& request() {
    thread_.join();
    thread_ = std::thread([] {});
    return request_;
  }

 private:
  void serve(const std::vector<std::string>& pieces) {
    const net::Fd fd(accept(bound_.fd.get(), nullptr, nullptr));
    char buffer[4096];
    while (request_.find("\r\n\r\n") == std::string::npos) {
      const ssize_t n = recv(fd.get(), buffer, sizeof buffer, 0);
      if (n <= 0) return;
      request_.append(buffer, static_cast<std::size_t>(n));
    }
    for (const std::string& piece : pieces) {
      if (send(fd.get(), piece.data(), piece.size(), MSG_NOSIGNAL) < 0) return;
    }
    if (pieces.empty()) recv(fd.get(), buffer, sizeof buffer, 0);  // until the client gives up
  }

  net::Bound bound_;
  std::string request_;
  std::thread thread_;
};

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

}  // namespace

TEST_CASE("client: an answer is read however it is cut and framed", "[remote][client]") {
  const auto pieces = GENERATE_COPY(values<std::vector<std::string>>(
      {{kAnswer},
       {kAnswer.substr(0, 10), kAnswer.substr(10, 32), kAnswer.substr(42)},
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"},
       {"HTTP/1.0 200 OK\r\n\r\nhel", "lo"},
       {kAnswer + "more"}}));
  Answering server(pieces);
  const Reply reply = server.ask({"GET", "/"});
  CAPTURE(reply.error);
  CHECK(reply.status == 200);
  CHECK(reply.body == "hello");
}

TEST_CASE("client: what it sends", "[remote][client]") {
  Answering server({kAnswer});
  REQUIRE(server.ask({"POST", "/x", "{}", "secret"}).status == 200);
  const std::string request = server.request();
  CHECK(request.substr(0, 17) == "POST /x HTTP/1.1\r");
  for (const char* line : {"\r\nHost: localhost\r\n", "\r\nAuthorization: Bearer secret\r\n",
                           "\r\nContent-Length: 2\r\n", "\r\nConnection: close\r\n"}) {
    CAPTURE(line);
    CHECK(request.find(line) != std::string::npos);
  }
}

TEST_CASE("client: what is no whole answer is an error", "[remote][client]") {
  const auto* text = GENERATE(
      values<const char*>({"220 smtp\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
                           "\r\n\r\n", "HTTP/1.1 2", "HTTP/1.1 101 Switching\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}));
  CAPTURE(text);
  Answering server({text});
  const Reply reply = server.ask({"GET", "/"});
  CHECK(reply.status == 0);
  CHECK_FALSE(reply.error.empty());
}

TEST_CASE("client: size and time are bounded", "[remote][client]") {
  for (const std::size_t most : {4U, 5U, 6U}) {
    Answering server({kAnswer});
    CHECK(server.ask({"GET", "/"}, {std::chrono::seconds(10), most}).status ==
          (most < 5 ? 0 : 200));
  }
  Answering silent({});
  const Reply reply = silent.ask({"GET", "/"}, {std::chrono::milliseconds(50), 100});
  CHECK(reply.status == 0);
  CHECK(reply.error.find("timed out") != std::string::npos);
}

TEST_CASE("client: nobody is there", "[remote][client]") {
  conf::Address address;
  {
    const net::Bound bound = net::listen_on(*conf::Address::parse("127.0.0.1:0"));
    address = bound.address;
  }
  CHECK(ask(address, {"GET", "/"}).error.find("refused") != std::string::npos);
  CHECK(ask(*conf::Address::parse("unix:/nowhere/a.sock"), {"GET", "/"}).status == 0);
}
