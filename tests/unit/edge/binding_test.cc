#include "proxy/edge/binding.h"

#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

using balance::kNoServer;

const balance::Clock::time_point kNow{std::chrono::hours(1000)};
const std::string kOpen = "0{\"sid\":\"abc\",\"upgrades\":[\"websocket\"]}";
constexpr std::string_view kPoll = "?EIO=4&transport=polling";
constexpr std::string_view kMore = "?EIO=4&transport=polling&sid=abc";

std::shared_ptr<balance::Pool> pool(bool engine_io = true, bool hash = false) {
  conf::Backend backend;
  backend.name = "chat";
  std::uint16_t port = 8080;
  for (int i = 0; i < 3; ++i) {
    conf::BackendServer server;
    server.address.ip = conf::Ip::v4(0x0a00000b);
    server.address.port = port++;
    backend.servers.push_back(server);
  }
  backend.sticky.emplace();
  backend.sticky->engine_io = engine_io;
  if (hash) backend.balance = conf::Backend::Balance::hash;
  return balance::Pool::make(backend);
}

struct Asked {
  Binding binding;
  balance::Preference preference;
};

Asked ask(const balance::Pool& pool, std::string_view query, std::string_view cookie = {}) {
  wire::RequestHead head;
  head.method = "GET";
  head.path = "/socket.io/";
  head.query = query;
  if (!cookie.empty()) head.fields.add("Cookie", cookie);
  Asked asked{Binding(pool), kNoServer};
  asked.preference = asked.binding.find(head, {}, {}, kNow);
  return asked;
}

wire::ResponseHead answer(int status = 200, std::string_view coding = {}) {
  wire::ResponseHead head;
  head.status = status;
  if (!coding.empty()) head.fields.add("Content-Encoding", coding);
  return head;
}

// The answer to an opening poll comes from server 1.
void open(const balance::Pool& pool, const wire::ResponseHead& head,
          std::string_view query = kPoll) {
  auto asked = ask(pool, query);
  asked.binding.on_answer_head(head, false);
  asked.binding.on_answer_body(std::string_view(kOpen).substr(0, 10), 1, kNow);
  asked.binding.on_answer_body(std::string_view(kOpen).substr(10), 1, kNow);
}

std::string cookie_of(const balance::Pool& pool, std::size_t server) {
  const auto text = pool.sticky()->set_cookie(server, false);
  return text.substr(0, text.find(';'));
}

}  // namespace

TEST_CASE("binding: a sid that an answer named leads to its server", "[edge][binding]") {
  const auto chat = pool();
  CHECK(ask(*chat, kMore).preference.server == kNoServer);
  open(*chat, answer());
  CHECK(ask(*chat, kMore).preference.server == 1);
  CHECK(ask(*chat, "?EIO=4&transport=websocket&sid=abc").preference.server == 1);
  CHECK(ask(*chat, "?sid=abd").preference.server == kNoServer);
}

TEST_CASE("binding: a server that sheds is not bound to by cookie, but by sid", "[edge][binding]") {
  const auto chat = pool();
  open(*chat, answer());
  const std::string cookie = cookie_of(*chat, 1);
  chat->servers()[1]->shedding = true;
  CHECK(ask(*chat, kPoll, cookie).preference.server == kNoServer);
  CHECK(ask(*chat, kMore, cookie).preference.server == 1);
  CHECK(ask(*chat, kPoll, cookie_of(*chat, 2)).preference.server == 2);
  chat->servers()[1]->shedding = false;
  CHECK(ask(*chat, kPoll, cookie).preference.server == 1);
}

TEST_CASE("binding: what teaches nothing", "[edge][binding]") {
  const auto chat = pool();
  open(*chat, answer(400));
  open(*chat, answer(200, "gzip"));
  open(*chat, answer(), "?EIO=4&transport=polling&sid=other");
  open(*chat, answer(), "?text=abc");
  CHECK(chat->sids()->entries() == 0);
  open(*chat, answer(200, "identity"));
  CHECK(chat->sids()->entries() == 1);
  const auto off = pool(false);
  open(*off, answer());
  CHECK_FALSE(off->sids());
}

TEST_CASE("binding: the sid comes before the cookie, which is left alone then", "[edge][binding]") {
  const auto chat = pool();
  open(*chat, answer());
  const auto both = ask(*chat, kMore, cookie_of(*chat, 2));
  CHECK(both.preference.server == 1);
  CHECK(both.binding.set_cookie(1, false).empty());
  CHECK(both.binding.set_cookie(2, false).empty());
  CHECK_FALSE(both.binding.set_cookie(0, false).empty());
  const auto cookie = ask(*chat, "?sid=unknown", cookie_of(*chat, 2));
  CHECK(cookie.preference.server == 2);
  CHECK(cookie.binding.set_cookie(2, false).empty());
  const auto first = ask(*chat, kPoll);
  CHECK(first.preference.server == kNoServer);
  CHECK(first.binding.set_cookie(0, false) == chat->sticky()->set_cookie(0, false));
}

TEST_CASE("binding: a unix socket's peer has no address to hash", "[edge][binding]") {
  const auto chat = pool(false, true);
  const auto key = [&](bool unix_socket, const char* ip) {
    rules::Peer peer;
    peer.unix_socket = unix_socket;
    rules::Client client;
    if (ip != nullptr) client.ip = *conf::Ip::parse(ip);
    return Binding(*chat).find({}, peer, client, kNow).key;
  };
  CHECK(key(false, "10.0.0.1"));
  CHECK_FALSE(key(true, nullptr));
  CHECK(key(true, "10.0.0.1") == key(false, "10.0.0.1"));
}

}  // namespace fairlead::edge
