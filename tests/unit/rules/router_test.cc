#include "proxy/rules/router.h"

#include <algorithm>
#include <random>

#include "tests/support/catch.h"

namespace fairlead::rules {
namespace {

using Kind = conf::Route::Kind;

conf::Route route(std::vector<std::string> hosts, std::string path,
                  std::vector<std::string> subprotocols = {}, Kind kind = Kind::any) {
  conf::Route result;
  result.hosts = std::move(hosts);
  result.path = std::move(path);
  result.subprotocols = std::move(subprotocols);
  result.kind = kind;
  return result;
}

std::size_t find(const std::vector<conf::Route>& routes, const RouteQuestion& question) {
  return Router(routes).find(question);
}

constexpr std::size_t kNone = Router::kNone;

}  // namespace

TEST_CASE("router: in each pair of routes the more exact one wins", "[rules][router]") {
  struct Row {
    const char* why;
    conf::Route winner;
    conf::Route loser;
  };

  // Both fit the question below. Each rule is set against all that come after it.
  const Row rows[] = {
      {"exact host before wildcard", route({"a.example.com"}, "/"), route({"*.example.com"}, "/")},
      {"... even with a shorter path", route({"a.example.com"}, "/"),
       route({"*.example.com"}, "/chat/room", {"v1"}, Kind::websocket)},
      {"exact host before any", route({"a.example.com"}, "/"),
       route({}, "/chat/room", {"v1"}, Kind::websocket)},
      {"wildcard before any", route({"*.com"}, "/"),
       route({}, "/chat/room", {"v1"}, Kind::websocket)},
      {"the longer wildcard", route({"*.example.com"}, "/"),
       route({"*.com"}, "/chat/room", {"v1"}, Kind::websocket)},
      {"the longer path", route({}, "/chat/room"), route({}, "/chat")},
      {"the longer path before subprotocol and kind", route({}, "/chat"),
       route({}, "/", {"v1"}, Kind::websocket)},
      {"any path before the root", route({}, "/chat"), route({}, "/")},
      {"subprotocol before none", route({}, "/chat", {"v1"}), route({}, "/chat")},
      {"subprotocol before kind", route({}, "/chat", {"v1"}),
       route({}, "/chat", {}, Kind::websocket)},
      {"a kind before any", route({}, "/chat", {}, Kind::websocket), route({}, "/chat")},
      {"file order", route({}, "/chat"), route({}, "/chat/")},
  };
  const RouteQuestion question{"a.example.com", "/chat/room/1", "v1", true};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(find({row.winner, row.loser}, question) == 0);
    if (std::string_view(row.why) != "file order") {
      CHECK(find({row.loser, row.winner}, question) == 1);
    }
    CHECK(find({row.winner}, question) == 0);
    CHECK(find({row.loser}, question) == 0);
  }
}

TEST_CASE("router: a final dot in a route's host does not count", "[rules][router]") {
  const Router router({route({"chat.example.com."}, "/"), route({"*.example.org."}, "/")});
  CHECK(router.find({"chat.example.com", "/", "", true}) == 0);
  CHECK(router.find({"chat.example.com.", "/", "", true}) == 0);
  CHECK(router.find({"a.example.org", "/", "", true}) == 1);
}

TEST_CASE("router: hosts", "[rules][router]") {
  const std::vector<conf::Route> routes{route({"chat.example.com", "[::1]"}, "/"),
                                        route({"*.example.com"}, "/"),
                                        route({"example.org", "*.example.org"}, "/")};

  struct Row {
    const char* host;
    std::size_t want;
    const char* why;
  };

  const Row rows[] = {
      {"chat.example.com", 0, "exact"},
      {"CHAT.Example.COM", 0, "no case"},
      {"chat.example.com:8080", 0, "the port does not count"},
      {"chat.example.com.", 0, "a final dot"},
      {"chat.example.com.:443", 0, "a final dot and a port"},
      {"[::1]:80", 0, "IPv6"},
      {"[0:0::1]", 0, "IPv6 written in another way"},
      {"chat.example.com:", 0, "an empty port"},
      {"[::1]:", 0, "IPv6 with an empty port"},
      {"a.example.com", 1, "a subdomain"},
      {"a.b.example.com", 1, "of any depth"},
      {"a.chat.example.com", 1, "a subdomain of an exact host"},
      {"A.EXAMPLE.COM.:1", 1, "all at once"},
      {"example.com", kNone, "a wildcard does not take the bare domain"},
      {".example.com", kNone, "an empty label"},
      {"evil-example.com", kNone, "no dot before it"},
      {"chat.example.com.evil.org", kNone, "a prefix"},
      {"example.org", 2, "the first of two hosts"},
      {"x.example.org", 2, "the second of two"},
      {"", kNone, "no host at all"},
      {"..", kNone, "dots"},
      {"a.example.com:port", kNone, "rubbish for a port"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.host, row.why);
    CHECK(find(routes, {row.host, "/", "", false}) == row.want);
  }
  // What is no host is served by a route for any.
  CHECK(find({route({}, "/")}, {"", "/", "", false}) == 0);
  CHECK(find({route({}, "/")}, {"a b", "/", "", false}) == 0);
  // A host in the configuration that is none does not become "any".
  CHECK(find({route({"a b"}, "/")}, {"c", "/", "", false}) == kNone);
  CHECK(find({route({"a b"}, "/")}, {"", "/", "", false}) == kNone);
}

TEST_CASE("router: a prefix ends at a segment boundary", "[rules][router]") {
  struct Row {
    const char* prefix;
    const char* path;
    bool want;
  };

  const Row rows[] = {
      {"/chat", "/chat", true},       {"/chat", "/chat/", true},
      {"/chat", "/chat/a", true},     {"/chat", "/chat//a", true},
      {"/chat", "/chatter", false},   {"/chat", "/cha", false},
      {"/chat", "/", false},          {"/chat", "/Chat", false},
      {"/chat", "/a/chat", false},    {"/chat/", "/chat", true},
      {"/chat/", "/chat/", true},     {"/chat/", "/chatter", false},
      {"/chat/", "/chat/a", true},    {"/", "/", true},
      {"/", "/anything", true},       {"/", "//", true},
      {"/a/b", "/a/b/c", true},       {"/a/b", "/a/bc", false},
      {"/a/b", "/a", false},          {"/chat", "/chat%2Fa", false},
      {"/chat", "/chat.html", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.prefix, row.path);
    CHECK((find({route({}, row.prefix)}, {"h", row.path, "", false}) == 0) == row.want);
  }
}

TEST_CASE("router: subprotocols are compared exactly, token by token", "[rules][router]") {
  const std::vector<conf::Route> routes{route({}, "/", {"graphql-transport-ws", "graphql-ws"})};

  struct Row {
    const char* offered;
    bool websocket;
    bool want;
    const char* why;
  };

  const Row rows[] = {
      {"graphql-ws", true, true, "alone"},
      {"graphql-transport-ws", true, true, "the other one"},
      {"a, graphql-ws, b", true, true, "in a list"},
      {"a,graphql-ws,b", true, true, "without spaces"},
      {" ,, graphql-ws", true, true, "empty items"},
      {"Graphql-WS", true, false, "case counts"},
      {"graphql", true, false, "a prefix"},
      {"graphql-ws2", true, false, "more than the token"},
      {"\"graphql-ws\"", true, false, "quoted is not the token"},
      {"", true, false, "none offered"},
      {"graphql-ws", false, false, "no handshake"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.offered, row.why);
    CHECK((find(routes, {"h", "/", row.offered, row.websocket}) == 0) == row.want);
  }
}

TEST_CASE("router: a route that does not fit is passed over", "[rules][router]") {
  const std::vector<conf::Route> routes{
      route({"a.com"}, "/chat", {}, Kind::websocket), route({"a.com"}, "/chat", {}, Kind::http),
      route({"a.com"}, "/", {"v2"}), route({"*.com"}, "/x"), route({}, "/")};
  const Router router(routes);
  CHECK(router.find({"a.com", "/chat", "", true}) == 0);
  CHECK(router.find({"a.com", "/chat", "", false}) == 1);
  CHECK(router.find({"a.com", "/other", "v2", true}) == 2);
  CHECK(router.find({"a.com", "/other", "v1", true}) == 4);
  CHECK(router.find({"a.com", "/x/y", "", true}) == 3);
  CHECK(router.find({"b.org", "/chat", "", true}) == 4);
  CHECK(find({route({}, "/", {}, Kind::websocket)}, {"h", "/", "", false}) == kNone);
  CHECK(find({}, {"h", "/", "", false}) == kNone);
}

TEST_CASE("router: the order in the file does not matter but for equals", "[rules][router]") {
  std::vector<conf::Route> routes{route({"a.com"}, "/"),
                                  route({"a.com"}, "/chat"),
                                  route({"*.com"}, "/chat/room"),
                                  route({"*.b.com"}, "/"),
                                  route({}, "/chat", {"v1"}),
                                  route({}, "/chat", {}, Kind::websocket),
                                  route({}, "/chat"),
                                  route({}, "/")};
  for (std::size_t i = 0; i < routes.size(); ++i) routes[i].name = std::to_string(i);

  struct Row {
    RouteQuestion question;
    const char* want;
  };

  const Row rows[] = {
      {{"a.com", "/", "", true}, "0"},
      {{"a.com", "/chat/room", "v1", true}, "1"},
      {{"c.com", "/chat/room", "", true}, "2"},
      {{"c.b.com", "/chat/room", "", true}, "3"},
      {{"c.org", "/chat/room", "v1", true}, "4"},
      {{"c.org", "/chat", "", true}, "5"},
      {{"c.org", "/chat", "", false}, "6"},
      {{"c.com", "/else", "", false}, "7"},
  };
  std::mt19937 random(20240601);
  for (int round = 0; round < 200; ++round) {
    std::shuffle(routes.begin(), routes.end(), random);
    const Router router(routes);
    for (const auto& row : rows) {
      CAPTURE(round, row.want);
      const auto index = router.find(row.question);
      REQUIRE(index != kNone);
      REQUIRE(routes[index].name == row.want);
    }
  }
}

}  // namespace fairlead::rules
