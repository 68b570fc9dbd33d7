// A connection while the worker takes new snapshots: which one it is served by, and when the old
// one is freed.

#include "tests/support/catch.h"
#include "tests/support/http_rig.h"

namespace fairlead::test {
namespace {

constexpr const char* kGet = "GET /x HTTP/1.1\r\nHost: a.com\r\n\r\n";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr const char* kHandshake =
    "GET /x HTTP/1.1\r\nHost: a.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr const char* kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

void nothing(conf::Config&) {}

void only_chat(conf::Config& config) {
  config.routes[0].path = "/chat";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("reload flow: an idle connection takes the new snapshot at its next request",
          "[flow][reload]") {
  HttpFlow flow;
  flow.ask(kGet).reply(kOk);
  CHECK(contains(flow.got(), "200 OK"));
  const auto before = flow.reload(only_chat);
  CHECK_FALSE(before.expired());
  flow.ask(kGet);
  CHECK(contains(flow.got(), "404"));
  CHECK(before.expired());
  flow.ask("GET /chat HTTP/1.1\r\nHost: a.com\r\n\r\n");
  CHECK(contains(flow.asked(), "GET /chat"));
  // The connection to the server, opened before the reload, is used again.
  CHECK(flow.servers.size() == 1);
}

TEST_CASE("reload flow: a fresh connection takes it at its first", "[flow][reload]") {
  HttpFlow flow;
  flow.ask("GET /x HTTP/1.1\r\n");
  const auto before = flow.reload(only_chat);
  flow.ask("Host: a.com\r\n\r\n");
  CHECK(contains(flow.got(), "404"));
  CHECK(before.expired());
}

TEST_CASE("reload flow: an exchange keeps its own until it is over", "[flow][reload]") {
  HttpFlow flow;
  flow.ask(kGet);
  const auto first = flow.reload(only_chat);
  const auto second = flow.reload(nothing);
  CHECK_FALSE(first.expired());
  CHECK(second.expired());  // nobody began with it
  flow.reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
  flow.reload(nothing);
  flow.reply("67890");
  CHECK(contains(flow.got(), "1234567890"));
  CHECK_FALSE(first.expired());
  flow.ask(kGet);
  CHECK(contains(flow.got(), "404"));
  CHECK(first.expired());
}

TEST_CASE("reload flow: pipelined requests change over in between", "[flow][reload]") {
  HttpFlow flow;
  flow.ask(std::string(kGet) + kGet);
  const auto before = flow.reload(only_chat);
  flow.reply(kOk);
  const std::string got = flow.got();
  CHECK(contains(got, "200 OK"));
  CHECK(contains(got, "404"));
  CHECK(before.expired());
}

TEST_CASE("reload flow: a session keeps its own to its end, counts included", "[flow][reload]") {
  conf::Route route;
  route.limits.connections_per_ip = 2;
  HttpFlow flow(route);
  flow.ask(kHandshake).reply(kSwitch);
  CHECK(contains(flow.got(), "101"));
  const auto before = flow.reload([](conf::Config& config) {
    config.backends[0].servers[0].weight = 3;
    config.routes[0].websocket.max_message = 1;
    config.routes[0].limits.connections_per_ip = 1;
  });
  const auto& server = *flow.home.runtime->pools()[0]->servers()[0];
  CHECK(server.sessions == 1);
  CHECK(server.weight == 3);
  const auto& limits = *flow.home.runtime->routes()[0].limits;
  CHECK(limits.open(conf::Ip::v4(0xc0000207)) == 1);
  flow.client->text("long");
  flow.pump();
  CHECK(contains(flow.asked(), "GET /x"));
  CHECK_FALSE(before.expired());
  flow.client->reset();
  flow.servers[0]->reset();
  flow.pass(10s);
  CHECK_FALSE(flow.alive());
  CHECK(before.expired());
  CHECK(server.sessions == 0);
  CHECK(limits.open(conf::Ip::v4(0xc0000207)) == 0);
}

TEST_CASE("reload flow: without its listener a connection ends with the next answer",
          "[flow][reload]") {
  HttpFlow flow;
  flow.ask(kGet).reply(kOk);
  flow.got();
  const auto before = flow.reload(only_chat, 2);
  flow.ask(kGet).reply(kOk);  // by the route it came for
  const std::string got = flow.got();
  CHECK(contains(got, "200 OK"));
  CHECK(contains(got, "Connection: close"));
  CHECK(flow.client->end() == FarEnd::End::eof);
  CHECK_FALSE(before.expired());
  flow.client->half_close();
  flow.pass(5s);
  CHECK_FALSE(flow.alive());
  CHECK(before.expired());
}

TEST_CASE("reload flow: what a server that stays is known by lives on", "[flow][reload]") {
  HttpFlow flow;
  for (int i = 0; i < 5; ++i) {
    flow.ask(kGet).reply(kOk);
    CHECK(contains(flow.got(), "200 OK"));
    flow.reload(nothing);
  }
  CHECK(flow.servers.size() == 1);
  CHECK(flow.idle.size() == 1);
}

}  // namespace fairlead::test
