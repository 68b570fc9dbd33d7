// Clients that have ended their direction and wait for the answer; clients that send or read too
// slowly; clients that come when there is no room.

#include "tests/support/catch.h"
#include "tests/support/http_rig.h"

namespace fairlead::test {
namespace {

using namespace std::string_literals;
using End = FarEnd::End;

const std::string kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string post(const std::string& framing, const std::string& body = "") {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n\r\n" + body;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

conf::Route rates(double body, double send = 0) {
  conf::Route route;
  if (body > 0) route.timeouts.min_body_rate = conf::Rate{body, body};
  if (send > 0) route.timeouts.min_send_rate = conf::Rate{send, send};
  return route;
}

}  // namespace

TEST_CASE("half-close: the client gets its answer, and the connection ends", "[flow][half_close]") {
  HttpFlow flow;
  const std::string request = GENERATE(false, true) ? post("Content-Length: 2", "hi") : kGet;
  flow.client->send(request);
  flow.client->pump();
  flow.client->half_close();
  flow.pump();
  REQUIRE(flow.servers.size() == 1);
  CHECK(flow.server(0).end() == End::open);
  const std::string answer = flow.reply(kOk).got();
  CHECK(answer.ends_with("\r\n\r\nok"));
  CHECK(has(answer, "Connection: close\r\n"));
  CHECK(flow.client->end() == End::eof);
  CHECK(flow.idle.size() == 1);
  CHECK(flow.reasons() == "done ");
  CHECK_FALSE(flow.alive());
  CHECK(flow.home.busy == 0);
}

TEST_CASE("half-close: what was pipelined before it is answered too", "[flow][half_close]") {
  HttpFlow flow;
  flow.client->send(kGet + kGet);
  flow.client->pump();
  flow.client->half_close();
  flow.pump();
  CHECK(has(flow.reply(kOk).got(), "Connection: keep-alive\r\n"));
  CHECK(has(flow.reply(kOk).got(), "Connection: close\r\n"));
  CHECK(flow.client->end() == End::eof);
  CHECK(flow.reasons() == "done done ");
}

TEST_CASE("half-close: our own answers reach the client", "[flow][half_close]") {
  HttpFlow flow;
  flow.client->send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
  flow.client->pump();
  flow.client->half_close();
  CHECK(has(flow.pump().got(), "HTTP/1.1 400 "));
  CHECK(flow.client->end() == End::eof);
}

TEST_CASE("half-close: a large answer to a slow reader comes whole", "[flow][half_close]") {
  HttpFlow flow({}, {}, 4096);
  flow.client->send(kGet);
  flow.client->pump();
  flow.client->half_close();
  flow.pump();
  flow.client->stop_reading(true);
  flow.reply("HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + std::string(40'000, 'b'));
  flow.pass(20s);
  flow.client->stop_reading(false);
  CHECK(flow.pump().got().size() > 40'000);
  CHECK(flow.reasons() == "done ");
  CHECK(flow.client->end() == End::eof);
}

TEST_CASE("half-close: the usual times hold", "[flow][half_close]") {
  HttpFlow flow;
  flow.client->send(kGet);
  flow.client->pump();
  flow.client->half_close();
  flow.pump();
  CHECK(flow.pass(50s).alive());
  CHECK(has(flow.pass(30s).got(), "HTTP/1.1 504 "));
  CHECK_FALSE(flow.pass(3s).alive());
}

TEST_CASE("half-close: what is no more than a client that has gone frees the server at once",
          "[flow][half_close]") {
  HttpFlow flow;
  SECTION("the body is not whole") {
    flow.ask(post("Content-Length: 10", "hi"));
    flow.client->half_close();
  }
  SECTION("a handshake: a session needs both directions") {
    flow.ask(
        "GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    flow.client->half_close();
  }
  SECTION("it was long after the request") {
    flow.ask(kGet).pass(3s);
    flow.client->half_close();
  }
  SECTION("within an event stream") {
    flow.ask(kGet).reply("HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n");
    flow.client->half_close();
  }
  SECTION("both directions") {
    flow.ask(kGet);
    flow.client->close();
  }
  SECTION("a reset") {
    flow.ask(kGet);
    flow.client->reset();
  }
  flow.pump();
  CHECK(flow.server(0).end() == End::eof);
  CHECK_FALSE(flow.alive());
  CHECK(flow.reasons() == "client_left ");
}

TEST_CASE("half-close: a client that goes altogether while it waits is found",
          "[flow][half_close]") {
  HttpFlow flow;
  flow.client->send(kGet);
  flow.client->pump();
  flow.client->half_close();
  flow.pump();
  flow.client->close();
  CHECK(flow.pump().server(0).end() == End::open);  // no event tells
  SECTION("within five seconds") {
    flow.pass(5s);
  }
  SECTION("by the write of its answer") {
    flow.reply("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok");
  }
  CHECK(flow.server(0).end() == End::eof);
  CHECK_FALSE(flow.alive());
  CHECK(flow.reasons() == "client_left ");
}

TEST_CASE("rates: a body that trickles is answered 408 soon after 20 s", "[flow][rates]") {
  HttpFlow flow(rates(500));
  flow.ask(post("Content-Length: 100000", "1"));
  for (int i = 0; i < 6; ++i) flow.pass(3s).ask("8 bytes.");
  CHECK(flow.got() == "");
  CHECK(has(flow.pass(3s).got(), "HTTP/1.1 408 "));
  CHECK(flow.server(0).end() == End::eof);
  CHECK(flow.reasons() == "body_timeout ");
}

TEST_CASE("rates: a body that keeps the rate passes, however long it takes", "[flow][rates]") {
  HttpFlow flow(rates(500));
  flow.ask(post("Content-Length: 60000"));
  for (int i = 0; i < 12; ++i) flow.pass(9s).ask(std::string(5000, 'b'));
  CHECK(has(flow.reply(kOk).got(), "HTTP/1.1 200 "));
}

TEST_CASE("rates: a server that takes nothing is not the client's fault", "[flow][rates]") {
  conf::Route route = rates(500);
  route.timeouts.write_stall = 90s;
  HttpFlow flow(route);
  flow.ask(post("Content-Length: 9000000"));
  flow.server(0).stop_reading(true);
  flow.ask(std::string(4'000'000, 'u'));
  REQUIRE(flow.client->unsent() > 1'000'000);
  CHECK(flow.pass(80s).got() == "");
  flow.server(0).stop_reading(false);
  flow.pump().ask(std::string(5'000'000, 'u'));
  CHECK(has(flow.reply(kOk).got(), "HTTP/1.1 200 "));
}

TEST_CASE("rates: a client that waits for its 100 is not judged", "[flow][rates]") {
  HttpFlow flow(rates(500));
  flow.ask(post("Content-Length: 10\r\nExpect: 100-continue"));
  CHECK(flow.pass(40s).got() == "");
}

TEST_CASE("rates: who reads an answer too slowly is given up, if that is asked for",
          "[flow][rates]") {
  const bool judged = GENERATE(true, false);
  CAPTURE(judged);
  HttpFlow flow(rates(500, judged ? 100'000 : 0), {}, 4096);
  flow.client->stop_reading(true);
  flow.ask(kGet).reply("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" +
                       std::string(200'000, 'b'));
  for (int i = 0; i < 9; ++i) {
    // Takes some of it each 3 s: never stalled.
    flow.client->stop_reading(false);
    flow.client->pump();
    flow.client->stop_reading(true);
    flow.pass(3s);
  }
  CHECK(flow.alive() != judged);
  CHECK(flow.reasons() == (judged ? "slow_client " : ""));
}

TEST_CASE("full: who comes without a place is told at once, without having asked", "[flow][full]") {
  using Welcome = edge::Connection::Welcome;
  HttpFlow flow;
  const Welcome welcome = GENERATE(Welcome::told, Welcome::turned_away);
  const auto first = std::exchange(flow.client, flow.connect(welcome));
  const std::string answer = flow.pump().got();
  CHECK(has(answer, "HTTP/1.1 503 "));
  CHECK(has(answer, "Retry-After: "));
  CHECK(has(answer, "max_connections"));
  CHECK(flow.client->end() == End::eof);
  CHECK(flow.links.size() == (welcome == Welcome::told ? 2 : 1));
  CHECK(flow.reasons() == "max_connections ");
  CHECK(flow.pass(3s).links.size() == 1);
}

TEST_CASE("full: clients that ask nothing give their places up, those that never did first",
          "[flow][full]") {
  HttpFlow flow;
  flow.ask(kGet).reply(kOk);  // kept
  auto kept = std::exchange(flow.client, flow.connect());
  flow.ask("GET / HT");  // has begun to ask
  auto begun = std::exchange(flow.client, flow.connect());
  flow.ask(kGet);  // waits for its answer
  auto fresh = flow.connect();
  flow.pass(2s);
  const auto shed = [&] {
    const bool one = flow.home.waiting.shed_one(flow.loop.now());
    flow.pump();
    return one;
  };
  const auto ended = [](FarEnd& end) {
    end.pump();
    return end.end() != End::open;
  };
  CHECK(shed());
  CHECK(ended(*begun));
  CHECK_FALSE(ended(*fresh));
  CHECK(shed());
  CHECK(ended(*fresh));
  CHECK_FALSE(ended(*kept));
  CHECK(shed());
  CHECK(ended(*kept));
  CHECK_FALSE(shed());
  CHECK(flow.reasons() == "done max_connections ");
  CHECK(has(flow.reply(kOk).got(), "HTTP/1.1 200 "));
}

}  // namespace fairlead::test
