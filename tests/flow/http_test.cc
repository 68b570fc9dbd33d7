// Exchanges over socket pairs: what passes, what is used again, and how long anything is waited
// for.

#include "tests/support/catch.h"
#include "tests/support/http_rig.h"

namespace fairlead::test {
namespace {

using End = FarEnd::End;

const std::string kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string post(const std::string& framing, const std::string& body = "") {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + framing + "\r\n\r\n" + body;
}

int status(const std::string& answer) {
  return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3));
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

// A body may come as slowly as write_stall lets it.
conf::Route any_rate() {
  conf::Route route;
  route.timeouts.min_body_rate.reset();
  return route;
}

std::string body_of(const std::string& message) {
  const std::size_t end = message.find("\r\n\r\n");
  return end == message.npos ? "" : message.substr(end + 4);
}

}  // namespace

TEST_CASE("http: connections on both sides serve again and again", "[flow][http]") {
  HttpFlow flow;
  for (int i = 0; i < 5; ++i) {
    CHECK(has(flow.ask(kGet).asked(), "GET /a HTTP/1.1\r\n"));
    CHECK(body_of(flow.reply(kOk).got()) == "ok");
    CHECK(flow.idle.size() == 1);
  }
  CHECK(flow.servers.size() == 1);
  CHECK(flow.reasons() == "done done done done done ");
  CHECK(flow.home.busy == 0);
}

TEST_CASE("http: an answer to what cannot be read has its id in the log", "[flow][http]") {
  HttpFlow flow;
  std::string bad;
  SECTION("a malformed head") {
    bad = "GET / HTTP/1.1\r\nHost: a\r\nx y\r\n\r\n";
  }
  SECTION("a head that is too large") {
    bad = "GET /" + std::string(100'000, 'x');
  }
  SECTION("a head that does not come") {
    flow.ask("GET / HT");
    flow.pass(std::chrono::seconds(11));
  }
  if (!bad.empty()) flow.ask(bad);
  const std::string answer = flow.got();
  REQUIRE(status(answer) >= 400);
  const std::string name = "\r\nX-Request-Id: ";
  const std::size_t at = answer.find(name);
  REQUIRE(at != answer.npos);
  const std::string id =
      answer.substr(at + name.size(), answer.find('\r', at + 2) - at - name.size());
  CHECK(id.size() >= 16);
  CHECK(has(flow.log.str(), "\"request_id\":\"" + id + "\""));
}

TEST_CASE("http: two at once need two connections, and both are kept", "[flow][http]") {
  HttpFlow flow;
  flow.ask(kGet);
  auto first = std::exchange(flow.client, flow.connect());
  flow.ask(kGet);
  REQUIRE(flow.servers.size() == 2);
  flow.reply(kOk);
  flow.server(0).send(kOk);
  flow.pump();
  CHECK(flow.idle.size() == 2);
}

TEST_CASE("http: an idle server connection ends in time", "[flow][http]") {
  HttpFlow flow;
  flow.ask(kGet);
  SECTION("after our own time where the server says nothing") {
    flow.reply(kOk);
    CHECK(flow.pass(3900ms).idle.size() == 1);
    CHECK(flow.pass(200ms).idle.size() == 0);
    CHECK(flow.server(0).end() == End::eof);
  }
  SECTION("a second before the server's") {
    flow.reply("HTTP/1.1 200 OK\r\nKeep-Alive: max=9, timeout=10\r\nContent-Length: 0\r\n\r\n");
    CHECK(flow.pass(8900ms).idle.size() == 1);
    CHECK(flow.pass(200ms).idle.size() == 0);
  }
  SECTION("each use begins it anew") {
    flow.reply(kOk);
    for (int i = 0; i < 3; ++i) flow.pass(3000ms).ask(kGet).reply(kOk);
    CHECK(flow.servers.size() == 1);
  }
}

TEST_CASE("http: what an idle server connection says or ends with retires it", "[flow][http]") {
  HttpFlow flow;
  flow.ask(kGet).reply(kOk).got();
  SECTION("bytes") {
    flow.reply(kOk);
  }
  SECTION("its end") {
    flow.server(0).close();
    flow.pump();
  }
  SECTION("a reset") {
    flow.server(0).reset();
    flow.pump();
  }
  CHECK(flow.idle.size() == 0);
  CHECK(flow.got() == "");
  CHECK(flow.ask(kGet).servers.size() == 2);
  CHECK(body_of(flow.reply(kOk).got()) == "ok");
}

TEST_CASE("http: behind a body where servers expect none a connection is not used again",
          "[flow][http][smuggling]") {
  HttpFlow flow;
  const std::string method = GENERATE("GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT", "PATCH");
  flow.ask(method + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  flow.reply("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(flow.idle.size() == (method[0] == 'P' ? 1 : 0));
}

TEST_CASE("http: no more than the bound wait for one server", "[flow][http]") {
  HttpFlow flow;
  std::vector<std::unique_ptr<FarEnd>> clients;
  for (std::size_t i = 0; i < conf::bounds::kIdlePerServer + 3; ++i) {
    clients.push_back(std::exchange(flow.client, flow.connect()));
    flow.ask(kGet);
  }
  for (auto& server : flow.servers) server->send(kOk);
  flow.pump();
  CHECK(flow.idle.size() == conf::bounds::kIdlePerServer);
}

TEST_CASE("http: a request on a connection that was given up", "[flow][http]") {
  struct Row {
    const char* request;
    const char* begun;  // of the answer
    bool again;
  };

  const auto row = GENERATE(values<Row>({
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", true},
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "", true},
      {"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", "", true},
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", "", true},  // not begun
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", "", false},
      {"POST / HTTP/1.1\r\nHost: a\r\n\r\n", "", false},
      {"PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", "", false},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "H", false},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", false},
  }));
  CAPTURE(row.request, row.begun);
  HttpFlow flow;
  flow.ask(kGet).reply(kOk).got();
  flow.ask(row.request);
  flow.reply(row.begun);
  flow.server(0).close();
  flow.pump();
  CHECK(flow.servers.size() == (row.again ? 2 : 1));
  if (row.again) {
    flow.reply(kOk);
    CHECK(status(flow.got()) == 200);
  } else {
    CHECK(has(flow.got(), "HTTP/1.1 502"));
  }
}

TEST_CASE("http: what must not be sent twice goes only where it is quiet", "[flow][http]") {
  HttpFlow flow;
  flow.ask(kGet).reply(kOk).got();
  // Both are there in the same turn: the request may be looked at first.
  flow.client->send(post("Content-Length: 2", "hi"));
  flow.server(0).close();
  flow.pump();
  REQUIRE(flow.servers.size() == 2);
  CHECK(body_of(flow.asked()) == "hi");
  CHECK(status(flow.reply(kOk).got()) == 200);
}

TEST_CASE("http: the body of a small request leaves with its head", "[flow][http]") {
  HttpFlow flow;
  flow.ask(post("Content-Length: 5", "hello"));
  CHECK(body_of(flow.asked()) == "hello");
  flow.reply(kOk);
  flow.ask(post("Transfer-Encoding: chunked", "2;x\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"));
  CHECK(body_of(flow.asked()) == "5\r\nabcde\r\n0\r\n\r\n");
}

TEST_CASE("http: a large body passes either way, whatever the ends take", "[flow][http]") {
  const std::string body(3'000'000, 'b');
  HttpFlow flow({}, {}, GENERATE(0, 4096));
  flow.ask(post("Content-Length: 3000000", body));
  CHECK(body_of(flow.asked()) == body);
  flow.reply("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + body);
  CHECK(body_of(flow.got()) == body);
  CHECK(flow.reasons() == "done ");
  CHECK(flow.ask(kGet).servers.size() == 1);
}

TEST_CASE("http: a stalled upload is answered 408", "[flow][http]") {
  HttpFlow flow(any_rate());
  flow.ask(post("Content-Length: 10", "12345"));
  flow.pass(20s).ask("6").pass(20s);
  CHECK(flow.got() == "");
  CHECK(status(flow.pass(11s).got()) == 408);
  CHECK(flow.server(0).end() == End::eof);
  CHECK(flow.reasons() == "body_timeout ");
}

TEST_CASE("http: a client that waits for its 100 is not slow, the server is", "[flow][http]") {
  HttpFlow flow;
  flow.ask(post("Content-Length: 10\r\nExpect: 100-continue"));
  CHECK(flow.pass(50s).got() == "");
  SECTION("the server never answers") {
    CHECK(status(flow.pass(11s).got()) == 504);
  }
  SECTION("the client never sends") {
    CHECK(status(flow.reply("HTTP/1.1 100 Continue\r\n\r\n").got()) == 100);
    CHECK(flow.pass(19s).got() == "");
    CHECK(status(flow.pass(2s).got()) == 408);
  }
}

TEST_CASE("http: the server's time runs from the request's last byte", "[flow][http]") {
  HttpFlow flow(any_rate());
  flow.ask(post("Content-Length: 3", "1")).pass(29s).ask("2").pass(29s).ask("3");
  CHECK(flow.pass(59s).got() == "");
  CHECK(status(flow.pass(2s).got()) == 504);
}

TEST_CASE("http: between two parts of an answer there is no limit", "[flow][http]") {
  HttpFlow flow;
  flow.ask(kGet).reply("HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n");
  CHECK(has(flow.got(), "9\r\ndata: 1\n\n\r\n"));
  flow.pass(3600s).reply("data: 2\n\n");
  CHECK(flow.got() == "9\r\ndata: 2\n\n\r\n");
  SECTION("the client goes: the server is told") {
    flow.client->close();
    flow.pump();
    CHECK(flow.server(0).end() == End::eof);
    CHECK(flow.reasons() == "client_left ");
  }
  SECTION("the server goes: the answer is over") {
    flow.server(0).close();
    CHECK(flow.pump().got() == "0\r\n\r\n");
    CHECK(flow.reasons() == "done ");
  }
  SECTION("the server breaks off: so does the answer") {
    flow.server(0).send("half");
    flow.pump();
    flow.server(0).reset();
  }
}

TEST_CASE("http: a client that takes nothing is given up", "[flow][http]") {
  HttpFlow flow({}, {}, 4096);
  flow.client->stop_reading(true);
  const std::string body(1'000'000, 'b');
  SECTION("in the middle of an answer") {
    flow.ask(kGet).reply("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + body);
    CHECK(flow.server(0).unsent() > 500'000);
  }
  SECTION("when the answer is complete already") {
    flow.ask(kGet).reply("HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" +
                         body.substr(0, 40'000));
    CHECK(flow.idle.size() == 1);  // the server's connection is free
    CHECK(flow.home.busy == 1);
  }
  CHECK(flow.walk(30s).alive());
  CHECK_FALSE(flow.walk(4s).alive());
  CHECK(flow.reasons() == "slow_client ");
  CHECK(flow.home.busy == 0);
}

TEST_CASE("http: a slow client gets the whole answer", "[flow][http]") {
  HttpFlow flow({}, {}, 4096);
  flow.client->stop_reading(true);
  const bool close = GENERATE(true, false);
  flow.ask("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(close ? "Connection: close\r\n" : "") +
           "\r\n");
  flow.reply("HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + std::string(40'000, 'b'));
  flow.pass(20s);
  flow.client->stop_reading(false);
  CHECK(body_of(flow.pump().got()).size() == 40'000);
  CHECK(flow.reasons() == "done ");
  CHECK((flow.client->end() == End::eof) == close);
}

TEST_CASE("http: a server that does not take the upload is given up", "[flow][http]") {
  HttpFlow flow;
  flow.ask(post("Content-Length: 90000000"));
  flow.server(0).stop_reading(true);
  flow.ask(std::string(9'000'000, 'u'));
  CHECK(flow.client->unsent() > 1'000'000);
  CHECK(flow.got() == "");
  flow.walk(34s);
  CHECK(status(flow.got()) == 504);
}

TEST_CASE("http: an early answer ends the connection, whenever the upload does", "[flow][http]") {
  HttpFlow flow;
  flow.ask(post("Content-Length: 10", "12345")).reply(kOk);
  const std::string answer = flow.got();
  CHECK(has(answer, "Connection: close\r\n"));
  CHECK(body_of(answer) == "ok");
  CHECK(flow.server(0).end() == End::eof);
  CHECK(flow.idle.size() == 0);
  flow.ask("67890" + kGet);
  CHECK(flow.got() == "");
  CHECK(flow.servers.size() == 1);
  CHECK_FALSE(flow.pass(11s).alive());
}

TEST_CASE("http: a server that refuses an upload and goes is heard", "[flow][http]") {
  HttpFlow flow;
  flow.ask(post("Content-Length: 10000", "1"));
  flow.server(0).send("HTTP/1.1 413 Big\r\nContent-Length: 3\r\n\r\nbig");
  flow.server(0).close();
  flow.client->send(std::string(5000, 'u'));  // its write fails before the answer is read
  const std::string answer = flow.pump().got();
  CHECK(status(answer) == 413);
  CHECK(body_of(answer) == "big");
}

TEST_CASE("http: pipelined requests wait for their turn", "[flow][http]") {
  HttpFlow flow;
  flow.ask(post("Content-Length: 2", "12") + kGet + post("Content-Length: 2", "34"));
  CHECK(body_of(flow.asked()) == "12");
  CHECK(has(flow.reply(kOk).asked(), "GET /a "));
  CHECK(body_of(flow.reply(kOk).asked()) == "34");
  flow.reply(kOk);
  CHECK(flow.reasons() == "done done done ");
  CHECK(flow.servers.size() == 1);
}

TEST_CASE("http: a drain lets an exchange finish and keeps no connection", "[flow][http]") {
  HttpFlow flow;
  flow.ask(kGet);
  flow.home.draining = true;
  flow.links.for_each([&](edge::Link& link) { link.drain(flow.loop.now() + 5s); });
  CHECK(flow.home.busy == 1);
  CHECK(has(flow.reply(kOk).got(), "Connection: close\r\n"));
  CHECK(flow.idle.size() == 0);
  CHECK(flow.home.busy == 0);
}

TEST_CASE("http: what a kept connection has asked before a drain came is answered",
          "[flow][http]") {
  const bool handed_over = GENERATE(false, true);
  HttpFlow flow;
  flow.ask(kGet).reply(kOk);
  flow.asked();
  flow.got();
  flow.client->send(kGet);  // not read yet
  flow.home.draining = true;
  flow.home.handed_over = handed_over;
  flow.links.for_each([&](edge::Link& link) { link.drain(flow.loop.now() + 5s); });
  if (handed_over) {
    CHECK(has(flow.pump().asked(), "GET /a "));
    flow.reply(kOk);
  }
  const std::string answer = flow.pump().got();
  CHECK(status(answer) == (handed_over ? 200 : 503));
  CHECK(has(answer, "Connection: close\r\n"));
  CHECK(flow.reasons() == (handed_over ? "done done " : "done draining "));
}

TEST_CASE("http: an answer cut at every byte is the same to the client", "[flow][http]") {
  const std::string answer =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nX-T: 1\r\n\r\n";
  for (std::size_t at = 0; at <= answer.size(); ++at) {
    CAPTURE(at);
    HttpFlow flow;
    flow.ask(kGet).reply(answer.substr(0, at)).reply(answer.substr(at));
    std::string got = flow.got();
    CHECK(status(got) == 103);
    got = body_of(got);
    CHECK(status(got) == 200);
    const std::string body = body_of(got);
    CHECK(has(body, "0\r\nX-T: 1\r\n\r\n"));
    CHECK_FALSE(has(body, ";"));
    CHECK(flow.idle.size() == 1);
  }
}

TEST_CASE("http: a request cut at every byte is the same to the server", "[flow][http]") {
  const std::string request =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n" +
      kGet;
  for (std::size_t at = 0; at <= request.size(); ++at) {
    CAPTURE(at);
    HttpFlow flow;
    flow.ask(request.substr(0, at)).ask(request.substr(at)).reply(kOk);
    std::string asked = flow.asked();
    CHECK(has(asked, "Transfer-Encoding: chunked\r\n"));
    std::string body = body_of(asked);
    CHECK(has(body, "\r\n0\r\n\r\nGET /a HTTP/1.1\r\n"));
    body.resize(body.find("GET"));
    std::erase_if(body, [](char c) { return c < 'a'; });  // the sizes of one, two or three chunks
    CHECK(body == "abc");
  }
}

}  // namespace fairlead::test
