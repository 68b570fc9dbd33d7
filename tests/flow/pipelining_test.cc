// Clients that send the next requests before the answer: how much of them is read, and how much of
// a turn they get.

#include <sys/ioctl.h>

#include "tests/support/catch.h"
#include "tests/support/http_rig.h"

namespace fairlead::test {
namespace {

const std::string kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("pipelining: answers of our own are given one a turn and connection",
          "[flow][http][pipelining]") {
  conf::Route route;
  route.path = "/app";
  HttpFlow flow(route);
  constexpr std::size_t kRequests = 300;  // 404 each
  flow.client->send(repeated(kGet, kRequests));
  std::size_t answered = 0;
  for (std::size_t turn = 1; answered < kRequests; ++turn) {
    REQUIRE(turn <= 2 * kRequests);
    flow.client->pump();
    flow.loop.turn(false);
    flow.client->pump();
    answered = count(flow.client->received(), "HTTP/1.1 404");
    REQUIRE(answered <= turn + 1);  // the first is answered as it is read
  }
  CHECK(answered == kRequests);
  CHECK(flow.alive());
  CHECK(count(flow.reasons(), "no_route ") == kRequests);
}

TEST_CASE("pipelining: a neighbour is answered between two answers of ours",
          "[flow][http][pipelining]") {
  conf::Route route;
  route.path = "/app";
  HttpFlow flow(route);
  auto neighbour = flow.connect();
  flow.client->send(repeated(kGet, 500));
  flow.loop.turn(false);
  neighbour->send(kGet);
  for (int turn = 0; turn < 3; ++turn) flow.loop.turn(false);
  neighbour->pump();
  flow.client->pump();
  CHECK(count(neighbour->received(), "HTTP/1.1 404") == 1);
  CHECK(count(flow.client->received(), "HTTP/1.1 404") < 10);
}

TEST_CASE("pipelining: no more than a head is read ahead of a request under way",
          "[flow][http][pipelining]") {
  struct Row {
    const char* what;
    std::string request;
  };

  const auto row = GENERATE(values<Row>({
      {"no body", kGet},
      {"a length",
       "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n" + std::string(70000, 'b')},
      {"chunked", "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
                      repeated("400\r\n" + std::string(1024, 'c') + "\r\n", 40) + "0\r\n\r\n"},
  }));
  CAPTURE(row.what);
  HttpFlow flow({}, {}, 4096);
  constexpr std::size_t kAhead = 10'000;
  constexpr std::size_t kInSockets = 24 * 1024;  // what the two small buffers may hold
  const std::string ahead = repeated(kGet, kAhead);
  flow.client->send(row.request);
  flow.ask(ahead);
  REQUIRE(flow.servers.size() == 1);
  const std::size_t left = ahead.size() - flow.client->unsent();
  CHECK(left <= conf::bounds::kHeadBytes + kInSockets);
  CHECK(count(flow.asked(), "HTTP/1.1\r\n") == 1);
  // And all of them come to their turn.
  for (int i = 0; i < 50; ++i) flow.reply(kOk);
  CHECK(count(flow.got(), "HTTP/1.1 200 OK") == 50);
  CHECK(count(flow.asked(), "GET /a HTTP/1.1\r\n") == 50);
}

TEST_CASE("pipelining: a client that leaves is noticed with a request of its in waiting",
          "[flow][http][pipelining]") {
  HttpFlow flow;
  flow.ask(kGet + kGet);
  CHECK(flow.alive());
  flow.client->close();
  flow.pump();
  CHECK_FALSE(flow.alive());
  CHECK(flow.reasons() == "client_left ");
}

}  // namespace fairlead::test
