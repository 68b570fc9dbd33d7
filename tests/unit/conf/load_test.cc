#include "conf/load.h"

#include "tests/support/catch.h"
#include "tests/unit/conf/least.h"

using namespace fairlead::conf;
using namespace fairlead::conf::test;

TEST_CASE("load: the least configuration has all defaults", "[conf][load]") {
  const Config config = good(kLeast);
  REQUIRE(config.listeners.size() == 1);
  REQUIRE(config.listeners[0].address == *Address::parse("127.0.0.1:8080"));
  REQUIRE_FALSE(config.listeners[0].tls.has_value());
  REQUIRE(config.routes.size() == 1);
  REQUIRE(config.routes[0].origins == std::vector<OriginPattern>{OriginPattern{}});
  REQUIRE(config.routes[0].websocket.max_message == 1048576);
  REQUIRE(config.backends.size() == 1);
  REQUIRE(config.backends[0].servers[0].weight == 1);
  REQUIRE(config.server.max_connections == 100'000);
  REQUIRE(config.timeouts.route.connect == Millis{5000});
}

TEST_CASE("load: every key is read", "[conf][load]") {
  const Config config = good(R"(
[server]
workers = 3
max_connections = 77
drain = { deadline = "5s", rate = "200/s" }
user = "fairlead"
[timeouts]
tls_handshake = "1s"
request_head = "2s"
keepalive = "3s"
connect = "4s"
response_head = "5s"
write_stall = "6s"
[log]
level = "debug"
format = "json"
file = "/var/log/f.log"
access = "off"
[[listener]]
address = "[::]:443"
proxy_protocol = true
trusted_proxies = ["10.0.0.0/8", "::1"]
[listener.tls]
certificates = [{ cert = "c.pem", key = "k.pem" }]
min_version = "1.3"
ticket_key_file = "one-key"
compact = true
[listener.timeouts]
keepalive = "9m"
[[listener]]
address = "unix:/run/f.sock"
redirect_to_https = true
[[route]]
hosts = ["Chat.Example.com", "*.example.org", "10.0.0.1", "[::1]"]
path = "/chat"
subprotocols = ["graphql-transport-ws"]
kind = "websocket"
backend = "app"
origins = ["same-origin", "https://*.example.com"]
require_origin = true
strip_prefix = true
[route.websocket]
max_message = "off"
max_message_from_backend = "2MiB"
max_frame = 1024
ping_interval = "off"
ping_timeout = "2s"
ping_backend = false
idle_timeout = "1h"
max_lifetime = "24h"
strict = false
[route.limits]
handshakes_per_ip = "20/s"
connections_per_ip = 200
messages = { rate = "50/s", burst = 100 }
bytes = { rate = "1MiB/s", burst = "4MiB" }
on_excess = "close"
[route.timeouts]
connect = "1h"
[[backend]]
name = "app"
servers = ["LocalHost:3000", { address = "unix:/run/app.sock", weight = 1000, max_sessions = 20000 },
  { address = "10.0.0.1:1", backup = true }]
slow_start = 100
balance = "round-robin"
sticky = { cookie = "c", secret_file = "secret", max_age = "1h", same_site = "Strict" }
rebalance = { skew = "35%", rate = "120/m", min_age = "90s" }
[backend.health]
type = "websocket"
path = "/socket?token=1"
host = "chat.example.com"
subprotocol = "health"
interval = "10s"
timeout = "1s"
rise = 1
fall = 5
)");
  REQUIRE(config.server.workers == 3);
  REQUIRE(config.server.max_connections == 77);
  REQUIRE(config.server.drain.deadline == Millis{5000});
  REQUIRE(config.server.drain.rate.value().per_second == 200);
  REQUIRE(config.backends.at(0).rebalance.value().skew == 35);
  REQUIRE(config.backends.at(0).rebalance.value().rate.per_second == 2);
  REQUIRE(config.backends.at(0).rebalance.value().min_age == Millis{90'000});
  REQUIRE(config.server.user == "fairlead");
  REQUIRE(config.log.level == Log::Level::debug);
  REQUIRE(config.log.format == Log::Format::json);
  REQUIRE(config.log.file == "/var/log/f.log");
  REQUIRE(config.log.access == "off");

  const Listener& tls = config.listeners.at(0);
  REQUIRE(tls.proxy_protocol);
  REQUIRE(tls.trusted_proxies.at(1).contains(*Ip::parse("::1")));
  REQUIRE(tls.tls->certificates.at(0).cert == "c.pem");
  REQUIRE(tls.tls->certificates.at(0).key == "k.pem");
  REQUIRE(tls.tls->min_version == ListenerTls::Version::tls13);
  REQUIRE(tls.tls->compact);
  REQUIRE(tls.tls->ticket_keys == std::string(80, '\n'));
  REQUIRE(tls.timeouts.tls_handshake == Millis{1000});
  REQUIRE(tls.timeouts.request_head == Millis{2000});
  REQUIRE(tls.timeouts.keepalive == Millis{540'000});
  REQUIRE(config.listeners.at(1).redirect_to_https);
  REQUIRE(config.listeners.at(1).timeouts.keepalive == Millis{3000});

  const Route& route = config.routes.at(0);
  REQUIRE(route.name == "app");
  REQUIRE(route.hosts ==
          std::vector<std::string>{"chat.example.com", "*.example.org", "10.0.0.1", "[::1]"});
  REQUIRE(route.path == "/chat");
  REQUIRE(route.subprotocols == std::vector<std::string>{"graphql-transport-ws"});
  REQUIRE(route.kind == Route::Kind::websocket);
  REQUIRE(route.origins.size() == 2);
  REQUIRE(route.require_origin);
  REQUIRE(route.strip_prefix);
  REQUIRE_FALSE(route.websocket.max_message.has_value());
  REQUIRE(route.websocket.max_message_from_backend == 2U << 20);
  REQUIRE(route.websocket.max_frame == 1024U);
  REQUIRE_FALSE(route.websocket.ping_interval.has_value());
  REQUIRE(route.websocket.ping_timeout == Millis{2000});
  REQUIRE_FALSE(route.websocket.ping_backend);
  REQUIRE(route.websocket.idle_timeout == Millis{3'600'000});
  REQUIRE(route.websocket.max_lifetime == Millis{86'400'000});
  REQUIRE_FALSE(route.websocket.strict);
  REQUIRE(route.limits.handshakes_per_ip == Rate{20, 20});
  REQUIRE(route.limits.connections_per_ip == 200U);
  REQUIRE(route.limits.messages == Rate{50, 100});
  REQUIRE(route.limits.bytes == Rate{1 << 20, 4 << 20});
  REQUIRE(route.limits.on_excess == Limits::OnExcess::close);
  REQUIRE(route.timeouts.connect == Millis{3'600'000});
  REQUIRE(route.timeouts.response_head == Millis{5000});
  REQUIRE(route.timeouts.write_stall == Millis{6000});

  const Backend& backend = config.backends.at(0);
  REQUIRE(backend.servers.at(0).address.text() == "localhost:3000");
  REQUIRE(backend.servers.at(1).weight == 1000);
  REQUIRE(backend.balance == Backend::Balance::round_robin);
  REQUIRE(backend.sticky->cookie == "c");
  REQUIRE(backend.sticky->secret == "0123456789abcdef");
  REQUIRE(backend.sticky->max_age == Millis{3'600'000});
  REQUIRE(backend.sticky->same_site == Sticky::SameSite::strict);
  REQUIRE(backend.servers.at(1).max_sessions == 20'000U);
  REQUIRE_FALSE(backend.servers.at(1).backup);
  REQUIRE_FALSE(backend.servers.at(2).max_sessions.has_value());
  REQUIRE(backend.servers.at(2).backup);
  REQUIRE(backend.slow_start == 100U);
  REQUIRE(backend.health->type == Health::Type::websocket);
  REQUIRE(backend.health->path == "/socket?token=1");
  REQUIRE(backend.health->host == "chat.example.com");
  REQUIRE(backend.health->subprotocol == "health");
  REQUIRE(backend.health->interval == Millis{10'000});
  REQUIRE(backend.health->timeout == Millis{1000});
  REQUIRE(backend.health->rise == 1);
  REQUIRE(backend.health->fall == 5);
}

TEST_CASE("load: bounds of slow peers have defaults and can be switched off", "[conf][load]") {
  const Config plain = good(kLeast);
  REQUIRE(plain.routes[0].timeouts.min_body_rate == Rate{500, 500});
  REQUIRE_FALSE(plain.routes[0].timeouts.min_send_rate.has_value());
  REQUIRE(plain.timeouts.tcp.keepalive == Millis{60'000});
  REQUIRE(plain.timeouts.tcp.user_timeout == Millis{120'000});
  REQUIRE(plain.listeners[0].timeouts.keepalive == Millis{75'000});
  REQUIRE(plain.routes[0].limits.control_frames == Rate{100, 100});

  const Config set = good(kLeast + R"(
[timeouts]
min_body_rate = "off"
min_send_rate = "2KiB/s"
tcp_keepalive = "off"
tcp_user_timeout = "off"
[admin]
read_token_file = "secret"
[dns]
family = "ipv4"
)");
  REQUIRE_FALSE(set.routes[0].timeouts.min_body_rate.has_value());
  REQUIRE(set.routes[0].timeouts.min_send_rate.value().per_second == 2048);
  REQUIRE_FALSE(set.timeouts.tcp.keepalive.has_value());
  REQUIRE_FALSE(set.timeouts.tcp.user_timeout.has_value());
  REQUIRE(set.admin.read_token == "0123456789abcdef");
  REQUIRE(set.admin.token.empty());
  REQUIRE(set.dns.family == Dns::Family::ipv4);
}

TEST_CASE("load: a table's place does not matter to those that inherit", "[conf][load]") {
  const Config config = good(kLeast + "[timeouts]\nconnect = \"9s\"\nkeepalive = \"8s\"\n");
  REQUIRE(config.routes[0].timeouts.connect == Millis{9000});
  REQUIRE(config.listeners[0].timeouts.keepalive == Millis{8000});
}

TEST_CASE("load: all problems come at once, in file order, with their lines", "[conf][load]") {
  const LoadResult result = load("[[listener]]\naddress = 1\n[server]\nb = 1\n  a = 2\n");
  REQUIRE(messages(result) ==
          std::vector<std::string>{"f: there is no [[route]]", "f: there is no [[backend]]",
                                   "f:2:11: listener 1: address: must be a string, not an integer",
                                   "f:4:1: server: unknown key \"b\"",
                                   "f:5:3: server: unknown key \"a\""});
  REQUIRE(result.problems.at(2).source_line == "address = 1");
  REQUIRE(result.problems.at(4).text() == "f:5:3: server: unknown key \"a\"\n      a = 2");
  REQUIRE_FALSE(result.config.has_value());
}

TEST_CASE("load: an empty file lacks three things", "[conf][load]") {
  REQUIRE(messages(load("")) == std::vector<std::string>{"f: there is no [[listener]]",
                                                         "f: there is no [[route]]",
                                                         "f: there is no [[backend]]"});
}

TEST_CASE("load: single brackets where there may be several", "[conf][load]") {
  REQUIRE(messages(load("[listener]\naddress = \"127.0.0.1:1\"\n")).back() ==
          "f:1:2: there may be several: write [[listener]], in two brackets");
  REQUIRE(messages(load("[[server]]\nworkers = 1\n")).back() ==
          "f:1:1: server: must be a table, not a list");
}

TEST_CASE("load: a syntax error is the only problem", "[conf][load]") {
  REQUIRE(messages(load("[[listener]]\naddress = \n")) ==
          std::vector<std::string>{"f:2:11: TOML: missing value after key-value separator '=': "
                                   "expected value, but got nothing"});
}

TEST_CASE("load: inline lists of tables are as good", "[conf][load]") {
  good(
      "listener = [{ address = \"127.0.0.1:0\" }]\nroute = [{ backend = \"b\" }]\n"
      "backend = [{ name = \"b\", servers = [\"a:1\"] }]\n");
}

TEST_CASE("load: lists end somewhere", "[conf][load]") {
  const auto proxies = [](int count) {
    std::string text = kLeast + "[[listener]]\naddress = \"127.0.0.1:1\"\ntrusted_proxies = [\n";
    for (int i = 0; i < count; ++i) text += "\"::1\",\n";
    return messages(load(text + "]\n"));
  };
  REQUIRE(proxies(9'999).empty());
  REQUIRE(proxies(10'000).empty());
  REQUIRE(proxies(10'001) ==
          std::vector<std::string>{
              "f:11:19: listener 2: trusted_proxies: must not have more than 10000 entries"});
}

TEST_CASE("load: a thousand problems are enough", "[conf][load]") {
  std::string text = "[server]\n";
  for (int i = 0; i < 1500; ++i) text += "x" + std::to_string(i) + " = 1\n";
  REQUIRE(load(text).problems.size() == 1000);
}

TEST_CASE("load: an exception of the caller's reader stays inside", "[conf][load]") {
  const Environment throwing = [](std::string_view) -> std::optional<std::string> {
    throw std::runtime_error("no environment today");
  };
  const LoadResult result = load_text("a = \"${X}\"\n", "f", throwing, MemoryFiles());
  REQUIRE(messages(result) == std::vector<std::string>{"f: no environment today"});
}
