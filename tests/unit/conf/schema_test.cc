#include "conf/schema.h"

#include "tests/support/catch.h"
#include "tests/unit/conf/least.h"

using namespace fairlead::conf;
using namespace fairlead::conf::test;

TEST_CASE("schema: each kind of problem, at its place", "[conf][schema]") {
  struct Row {
    const char* lines;  // from line 9 on: [backend]'s end
    const char* problem;
  };

  const auto row = GENERATE(values<Row>({
      {"balanse = \"hash\"",
       "f:9:1: backend \"app\": unknown key \"balanse\" (did you mean \"balance\"?)"},
      {"colour = 1", "f:9:1: backend \"app\": unknown key \"colour\""},
      {"balance = \"best\"",
       "f:9:11: backend \"app\": balance: must be \"least-connections\", \"round-robin\", "
       "\"random-two\" or \"hash\", not \"best\""},
      {"sticky.engine_io = 1",
       "f:9:20: backend \"app\": sticky: engine_io: must be true or false, not an integer"},
      {"balance = 3", "f:9:11: backend \"app\": balance: must be a string, not an integer"},
      {"  send_proxy_protocol = \"v2\"",
       "f:9:3: backend \"app\": key \"send_proxy_protocol\" is not available in this version"},
      {"health = { path = \"/\" }", "f:9:10: backend \"app\": health: key \"type\" is missing"},
      {"health = { type = \"icmp\" }",
       "f:9:19: backend \"app\": health: type: must be \"tcp\", \"http\" or \"websocket\", not "
       "\"icmp\""},
      {"health = { type = \"http\", path = \"up\" }",
       "f:9:34: backend \"app\": health: path: must begin with \"/\""},
      {"health = { type = \"http\", path = \"/a b\" }",
       "f:9:34: backend \"app\": health: path: must have blanks and other than ASCII "
       "percent-encoded"},
      {"health = { type = \"http\", host = \"a b\" }",
       "f:9:34: backend \"app\": health: host: \"a b\" is not a host"},
      {"health = { type = \"tcp\", host = \"a\" }",
       "f:9:33: backend \"app\": health: host: only a check of type \"http\" or \"websocket\" "
       "sends "
       "one"},
      {"health = { type = \"tcp\", path = \"/\" }",
       "f:9:33: backend \"app\": health: path: only a check of type \"http\" or \"websocket\" asks "
       "for one"},
      {"health = { type = \"http\", subprotocol = \"a\" }",
       "f:9:41: backend \"app\": health: subprotocol: only a check of type \"websocket\" offers "
       "one"},
      {"health = { type = \"websocket\", status = 200 }",
       "f:9:41: backend \"app\": health: status: only a check of type \"http\" has an answer's "
       "status to look at"},
      {"health = { type = \"websocket\", subprotocol = \"a b\" }",
       "f:9:46: backend \"app\": health: subprotocol: \"a b\" is not a subprotocol's name"},
      {"health = { type = \"http\", status = \"ok\" }",
       "f:9:36: backend \"app\": health: status: must be a status or a range of 200 to 599, such "
       "as "
       "\"200\" or \"200-399\""},
      {"health = { type = \"http\", status = 99 }",
       "f:9:36: backend \"app\": health: status: must be a status or a range of 200 to 599, such "
       "as "
       "\"200\" or \"200-399\""},
      {"health = { type = \"http\", status = true }",
       "f:9:36: backend \"app\": health: status: must be a status or a string such as \"200-399\", "
       "not true or false"},
      {"health = { type = \"tcp\", rise = 0 }",
       "f:9:33: backend \"app\": health: rise: must be 1 to 100"},
      {"health = { type = \"tcp\", interval = \"10ms\" }",
       "f:9:37: backend \"app\": health: interval: must be 100ms to 1h"},
      {"slow_start = 0", "f:9:14: backend \"app\": slow_start: must be 1 to 10000000"},
      {"sticky = true", "f:9:10: backend \"app\": sticky: must be a table, not true or false"},
      {"sticky = { same_site = \"lax\" }",
       "f:9:24: backend \"app\": sticky: same_site: must be \"Lax\", \"Strict\" or \"None\", not "
       "\"lax\""},
      {"sticky.max_age = \"1ms\"", "f:9:18: backend \"app\": sticky: max_age: must be 1s to 8760h"},
      {"sticky.cookie = \"a b\"",
       "f:9:17: backend \"app\": sticky: cookie: \"a b\" is not a cookie's name"},
      {"sticky.secret_file = \"gone\"",
       "f:9:22: backend \"app\": sticky: secret_file: cannot read \"gone\": No such file or "
       "directory"},
      {"sticky.secret_file = \"short\"",
       "f:9:22: backend \"app\": sticky: secret_file: \"short\" holds less than 16 bytes: too "
       "easy to guess"},
      {"[server]\nworkers = 257", "f:10:11: server: workers: must be 0 to 256"},
      {"[server]\nworkers = -1", "f:10:11: server: workers: must be 0 to 256"},
      {"[server]\nworkers = 99999999999999999999", "f:10:11: server: workers: must be 0 to 256"},
      {"[server]\nworkers = 1.5",
       "f:10:11: server: workers: must be an integer, not a number with a point"},
      {"[server]\nworkers = 1979-05-27",
       "f:10:11: server: workers: must be an integer, not a date or time"},
      {"[server]\ndrain = { deadline = \"30\" }",
       "f:10:22: server: drain: deadline: \"30\" is not a duration such as \"250ms\", \"30s\", "
       "\"5m\" or \"1h\""},
      {"[server]\ndrain.rate = \"fast\"",
       "f:10:14: server: drain: rate: \"fast\" is not a rate such as \"50/s\" (also /m and /h)"},
      {"[server]\ndrain.rate = { rate = \"1/s\", burst = 2 }",
       "f:10:14: server: drain: rate: must be a string such as \"50/s\", not a table"},
      {"rebalance = { skew = 20 }",
       "f:9:22: backend \"app\": rebalance: skew: must be a string such as \"20%\", not an "
       "integer"},
      {"rebalance = { skew = \"20\" }",
       "f:9:22: backend \"app\": rebalance: skew: \"20\" is not a percentage such as \"20%\""},
      {"rebalance = { skew = \"%\" }",
       "f:9:22: backend \"app\": rebalance: skew: \"%\" is not a percentage such as \"20%\""},
      {"rebalance = { skew = \"0%\" }",
       "f:9:22: backend \"app\": rebalance: skew: must be 1% to 1000%"},
      {"rebalance = { skew = \"1001%\" }",
       "f:9:22: backend \"app\": rebalance: skew: must be 1% to 1000%"},
      {"rebalance = { rate = \"off\" }",
       "f:9:22: backend \"app\": rebalance: rate: \"off\" is not a rate such as \"50/s\" (also "
       "/m and /h)"},
      {"rebalance = { }\nbalance = \"hash\"",
       "f:9:13: backend \"app\": rebalance: does not go with balance = \"hash\", which binds each "
       "session to its server"},
      {"[server]\nuser = \"a b\"", "f:10:8: server: user: \"a b\" is not a user's name"},
      {"[timeouts]\nconnect = 5",
       "f:10:11: timeouts: connect: must be a string such as \"30s\", not an integer"},
      {"[timeouts]\nconnect = \"9ms\"", "f:10:11: timeouts: connect: must be 10ms to 24h"},
      {"[timeouts]\nconnect = \"25h\"", "f:10:11: timeouts: connect: must be 10ms to 24h"},
      {"[log]\naccess = \"stderr\"",
       "f:10:10: log: access: must be \"stdout\" or \"off\" or a file, not \"stderr\""},
      {"[log]\nlevel = \"loud\"",
       "f:10:9: log: level: must be \"trace\", \"debug\", \"info\", \"warn\" or \"error\", not "
       "\"loud\""},
      {"[tracing]\nendpoint = \"https://a.example/v1/traces\"",
       "f:10:12: tracing: endpoint: https is not spoken to a collector: send to one on this "
       "machine or in this pod over http, and let that one send on"},
      {"[tracing]\nendpoint = \"127.0.0.1:4318\"",
       "f:10:12: tracing: endpoint: \"127.0.0.1:4318\" is not a URL such as "
       "\"http://127.0.0.1:4318/v1/traces\""},
      {"[tracing]\nendpoint = \"http://a:0/\"",
       "f:10:12: tracing: endpoint: \"http://a:0/\" is not a URL such as "
       "\"http://127.0.0.1:4318/v1/traces\""},
      {"[tracing]\nendpoint = 4318",
       "f:10:12: tracing: endpoint: must be a string such as "
       "\"http://127.0.0.1:4318/v1/traces\", not an integer"},
      {"[tracing]\nsample = 1.01", "f:10:10: tracing: sample: must be 0 to 1"},
      {"[tracing]\nsample = -1", "f:10:10: tracing: sample: must be 0 to 1"},
      {"[tracing]\nsample = nan", "f:10:10: tracing: sample: must be 0 to 1"},
      {"[tracing]\nsample = \"1%\"",
       "f:10:10: tracing: sample: must be a number such as 0.01, not a string"},
      {"[tracing]\nservice_name = \"\"", "f:10:16: tracing: service_name: must not be empty"},
      {"[tracing]\nbatch = 0", "f:10:9: tracing: batch: must be 1 to 10000"},
      {"[admin]\ntap = 1", "f:10:7: admin: tap: must be true or false, not an integer"},
      {"[admin]\ntap_redact = [\"*x\"]",
       "f:10:15: admin: tap_redact: must begin with text: what comes before is shown"},
      {"[admin]\ntap_redact = [\"a*b*\"]", "f:10:15: admin: tap_redact: may hold one \"*\" only"},
      {"[admin]\nlisten = \"localhost:9180\"",
       "f:10:10: admin: listen: \"localhost:9180\" is a name: a listener needs an IP address, such "
       "as \"127.0.0.1:9180\""},
      {"[admin]\nlisten = \"0.0.0.0:9180\"",
       "f:10:10: admin: listen: \"0.0.0.0:9180\" is open to other machines: this needs token_file"},
      {"[admin]\ntoken_file = \"gone\"",
       "f:10:14: admin: token_file: cannot read \"gone\": No such file or directory"},
      {"[admin]\ntoken_file = \"short\"",
       "f:10:14: admin: token_file: \"short\" holds less than 16 bytes: too easy to guess"},
      {"[[lisener]]\naddress = \"127.0.0.1:1\"",
       "f:9:3: unknown key \"lisener\" (did you mean \"listener\"?)"},
      {"[[listener]]\naddress = \"127.0.0.1:1\"\ntls = { certificates = [] }",
       "f:11:24: listener 2: tls: certificates: must not be empty"},
      {"[[listener]]\naddress = \"127.0.0.1:1\"\n[listener.tls]\nmin_version = \"1.2\"",
       "f:11:1: listener 2: tls: key \"certificates\" is missing"},
      {"[[listener]]\naddress = \"127.0.0.1:1\"\n[listener.tls]\ncertificates = [\n"
       "{ cert = \"c.pem\", key = \"k.pem\" },\n{ cert = \"c.pem\", key = \"k.pem\" }]",
       "f:14:1: listener 2: tls: certificates: more than one certificate is not available in "
       "this version"},
      {"[[listener]]\naddress = \"127.0.0.1:1\"\n[listener.tls]\ncertificates = [\n"
       "{ cert = \"gone\", key = \"k.pem\" }]",
       "f:13:10: listener 2: tls: certificates: cert: cannot read \"gone\": No such file or "
       "directory"},
      {"[[listener]]\naddress = \"127.0.0.1:1\"\n[listener.tls]\nclient_ca = \"c.pem\"\n"
       "certificates = [{ cert = \"c.pem\", key = \"k.pem\" }]",
       "f:12:1: listener 2: tls: key \"client_ca\" is not available in this version"},
      {"[[listener]]\naddress = \"127.0.0.1:1\"\n[listener.tls]\nticket_key_file = \"no-key\"\n"
       "certificates = [{ cert = \"c.pem\", key = \"k.pem\" }]",
       "f:12:19: listener 2: tls: ticket_key_file: \"no-key\" holds 79 bytes: one to 16 keys of 80 "
       "bytes each are needed, or of 48 each"},
      {"[[listener]]\naddress = \"127.0.0.1:1\"\n[listener.tls]\nticket_key_file = \"gone\"\n"
       "certificates = [{ cert = \"c.pem\", key = \"k.pem\" }]",
       "f:12:19: listener 2: tls: ticket_key_file: cannot read \"gone\": No such file or "
       "directory"},
      {"[[listener]]\naddress = \"127.0.0.1:1\"\n[listener.tls]\nticket_key_file = "
       "\"too-many-keys\"\n"
       "certificates = [{ cert = \"c.pem\", key = \"k.pem\" }]",
       "f:12:19: listener 2: tls: ticket_key_file: \"too-many-keys\" holds 816 bytes: one to 16 "
       "keys "
       "of 80 bytes each are needed, or of 48 each"},
      {"[[listener]]\nproxy_protocol = false", "f:9:1: listener 2: key \"address\" is missing"},
      {"[[listener]]\naddress = \":80\"",
       "f:10:11: listener 2: address: \":80\" is not an address such as \"0.0.0.0:443\", "
       "\"[::]:443\" or \"unix:/run/fairlead.sock\""},
      {"[[listener]]\naddress = \"localhost:80\"",
       "f:10:11: listener 2: address: \"localhost:80\" is a name: a listener needs an IP "
       "address, such as \"127.0.0.1:80\""},
      {"[[listener]]\naddress = \"127.0.0.1:1\"\ntrusted_proxies = \"10.0.0.0/8\"",
       "f:11:19: listener 2: trusted_proxies: must be a list, in brackets, not a string"},
      {"[[listener]]\naddress = \"127.0.0.1:1\"\ntrusted_proxies = [\"10.0.0.0/33\"]",
       "f:11:20: listener 2: trusted_proxies: \"10.0.0.0/33\" is not a network such as "
       "\"10.0.0.0/8\" or \"fd00::/8\""},
      {"[[listener]]\naddress = \"127.0.0.1:1\"\n[listener.timeouts]\nconnect = \"1s\"",
       "f:12:1: listener 2: timeouts: unknown key \"connect\""},
      {"[[route]]\nname = \"x\"\norgins = [\"any\"]\nbackend = \"app\"",
       "f:11:1: route \"x\": unknown key \"orgins\" (did you mean \"origins\"?)"},
      {"[[route]]\nbackend = \"ap\"",
       "f:10:11: route 2: backend: there is no backend \"ap\" (did you mean \"app\"?)"},
      {"[[route]]\npath = \"/x\"", "f:9:1: route 2: key \"backend\" is missing"},
      {"[[route]]\nname = \"a b\"\nbackend = \"app\"",
       "f:10:8: route \"a b\": name: \"a b\" is not a name: letters, digits and \"-_.:\", at most "
       "64"},
      {"[[route]]\nbackend = \"app\"\nkind = [\"http\"]",
       "f:11:8: route 2: kind: must be a string, not a list"},
      {"[[route]]\nbackend = \"app\"\norigins = []",
       "f:11:11: route 2: origins: must not be empty"},
      {"[[route]]\nbackend = \"app\"\norigins = [\n\"same-origin\",\n\"app.example.com\"]",
       "f:13:1: route 2: origins: \"app.example.com\" is not an origin: it needs its scheme, "
       "\"https://app.example.com\""},
      {"[[route]]\nbackend = \"app\"\norigins = [\"https://a.b/\"]",
       "f:11:12: route 2: origins: \"https://a.b/\" is not an origin: no path, not even \"/\", "
       "may follow the host"},
      {"[[route]]\nbackend = \"app\"\nwebsocket.max_frame = \"1MB\"",
       "f:11:23: route 2: websocket: max_frame: \"1MB\" is not a size such as \"512B\", "
       "\"64KiB\", \"1MiB\" or \"off\""},
      {"[[route]]\nbackend = \"app\"\nwebsocket.max_frame = 0",
       "f:11:23: route 2: websocket: max_frame: 0 is not a size such as \"512B\", \"64KiB\", "
       "\"1MiB\" or \"off\""},
      {"[[route]]\nbackend = \"app\"\nwebsocket.strict = \"yes\"",
       "f:11:20: route 2: websocket: strict: must be true or false, not a string"},
      {"[[route]]\nbackend = \"app\"\nwebsocket.ping_timeout = \"off\"",
       "f:11:26: route 2: websocket: ping_timeout: \"off\" is not a duration such as \"250ms\", "
       "\"30s\", \"5m\" or \"1h\""},
      {"[[route]]\nbackend = \"app\"\n[route.websocket]\ncompression = \"off\"",
       "f:12:1: route 2: websocket: key \"compression\" is not available in this version"},
      {"[[route]]\nbackend = \"app\"\n[route.auth]\nbasic = 1",
       "f:11:8: route 2: key \"auth\" is not available in this version"},
      {"[[route]]\nbackend = \"app\"\nlimits.messages = 50",
       "f:11:19: route 2: limits: messages: must be a string such as \"50/s\", not an integer"},
      {"[[route]]\nbackend = \"app\"\nlimits.messages = \"50\"",
       "f:11:19: route 2: limits: messages: \"50\" is not a rate such as \"50/s\" (also /m and "
       "/h)"},
      {"[[route]]\nbackend = \"app\"\nlimits.messages = { burst = 5 }",
       "f:11:19: route 2: limits: messages: key \"rate\" is missing"},
      {"[[route]]\nbackend = \"app\"\nlimits.messages = { rate = \"5/s\", burst = 0 }",
       "f:11:43: route 2: limits: messages: burst: must be 1 or more"},
      {"[[route]]\nbackend = \"app\"\nlimits.bytes = { rate = \"5/s\", burst = \"4MB\" }",
       "f:11:40: route 2: limits: bytes: burst: must be a size such as \"4MiB\""},
      {"[[route]]\nbackend = \"app\"\nlimits.messages = { rate = \"5/s\", bursts = 1 }",
       "f:11:35: route 2: limits: messages: unknown key \"bursts\" (did you mean \"burst\"?)"},
      {"[[route]]\nbackend = \"app\"\nlimits.connections_per_ip = \"50\"",
       "f:11:29: route 2: limits: connections_per_ip: must be an integer or \"off\", not a string"},
      {"[[route]]\nbackend = \"app\"\nlimits.connections_per_ip = 0",
       "f:11:29: route 2: limits: connections_per_ip: must be 1 to 1000000"},
      {"[[route]]\nbackend = \"app\"\nsubprotocols = [\"a b\"]",
       "f:11:17: route 2: subprotocols: \"a b\" is not a subprotocol's name"},
      {"[[backend]]\nservers = [\"a:1\"]", "f:9:1: backend 2: key \"name\" is missing"},
      {"[[backend]]\nname = \"b\"", "f:9:1: backend \"b\": key \"servers\" is missing"},
      {"[[backend]]\nname = \"b\"\nservers = []",
       "f:11:11: backend \"b\": servers: must not be empty"},
      {"[[backend]]\nname = \"b\"\nservers = [7]",
       "f:11:12: backend \"b\": servers: must be a string, not an integer"},
      {"[[backend]]\nname = \"b\"\nservers = [\"a:0\"]",
       "f:11:12: backend \"b\": servers: \"a:0\" needs a port other than 0"},
      {"[[backend]]\nname = \"b\"\nservers = [{ address = \"a:1\", weight = 1001 }]",
       "f:11:40: backend \"b\": servers: weight: must be 1 to 1000"},
      {"[[backend]]\nname = \"b\"\nservers = [{ address = \"a:1\", max_sessions = 0 }]",
       "f:11:46: backend \"b\": servers: max_sessions: must be 1 to 10000000"},
      {"[[backend]]\nname = \"b\"\nservers = [\"a:1\", \"A:1\"]",
       "f:11:19: backend \"b\": servers: \"a:1\" is there twice"},
      {"[[backend]]\nname = \"b\"\nservers = [\"http://a:1\"]",
       "f:11:12: backend \"b\": servers: \"http://a:1\" is not an address such as "
       "\"10.0.0.1:8080\", \"[fd00::1]:8080\", \"app.internal:8080\" or \"unix:/run/app.sock\""},
  }));
  CAPTURE(row.lines);
  REQUIRE(problem_with(row.lines) == row.problem);
}

TEST_CASE("schema: a path's rules", "[conf][schema]") {
  const auto problem = [](const std::string& path) {
    return problem_with("[[route]]\nbackend = \"app\"\npath = \"" + path + "\"");
  };
  REQUIRE(problem("") == "f:11:8: route 2: path: must begin with \"/\"");
  REQUIRE(problem("chat") == "f:11:8: route 2: path: must begin with \"/\"");
  const std::string query =
      "f:11:8: route 2: path: must not have a \"?\" or \"#\": a route knows no query";
  REQUIRE(problem("/a?b") == query);
  REQUIRE(problem("/a#b") == query);
  const std::string encoded =
      "f:11:8: route 2: path: must have blanks and other than ASCII percent-encoded";
  REQUIRE(problem("/a b") == encoded);
  REQUIRE(problem("/\xC3\xA9") == encoded);
  for (const auto* path : {"/a%", "/a%2", "/a%zz", "/%41%g1", "/a%00b"}) {
    CAPTURE(path);
    REQUIRE(problem(path) ==
            "f:11:8: route 2: path: must have two hex digits behind a \"%\", not 00: requests "
            "without are refused");
  }
  good(kLeast + "[[route]]\nname = \"x\"\nbackend = \"app\"\npath = \"/a%20b%2f\"");
  REQUIRE(problem("/" + std::string(1024, 'a')) ==
          "f:11:8: route 2: path: must not be longer than 1024 bytes");
  REQUIRE(problem("/a\\u0001") == "f:11:8: a string with a control character");
  good(kLeast + "[[route]]\nname = \"x\"\nbackend = \"app\"\npath = \"/" + std::string(1023, 'a') +
       "\"");
}

TEST_CASE("schema: a host's rules", "[conf][schema]") {
  struct Row {
    const char* host;
    const char* complaint;
  };

  const auto row = GENERATE(values<Row>(
      {{"*", "\"*\" is not needed: without `hosts` a route takes any host"},
       {"a.*.b", "\"a.*.b\" is not a host name: \"*.\" may only stand in front"},
       {"*a.b", "\"*a.b\" is not a host name: \"*.\" may only stand in front"},
       {"a.b:80", "\"a.b:80\" is not a host name: leave the port out"},
       {"[::1]:80", "\"[::1]:80\" is not a host name: leave the port out"},
       {"https://a.b", "\"https://a.b\" is not a host name: leave the scheme out"},
       {"::1", "\"::1\" is not a host name such as \"chat.example.com\" or \"*.example.com\""},
       {"", "\"\" is not a host name such as \"chat.example.com\" or \"*.example.com\""},
       {"a b", "\"a b\" is not a host name such as \"chat.example.com\" or \"*.example.com\""}}));
  CAPTURE(row.host);
  REQUIRE(problem_with("[[route]]\nbackend = \"app\"\nhosts = [\"" + std::string(row.host) +
                       "\"]") == "f:11:10: route 2: hosts: " + std::string(row.complaint));
}

TEST_CASE("schema: what balance = \"hash\" may go by", "[conf][schema]") {
  using Kind = HashKey::Kind;
  const auto key = [](const std::string& text) {
    return good(kLeast + "balance = \"hash\"\nhash_key = \"" + text + "\"").backends[0].hash_key;
  };
  REQUIRE(good(kLeast + "balance = \"hash\"").backends[0].hash_key == HashKey{});
  REQUIRE(key("client-ip") == HashKey{Kind::client_ip, ""});
  REQUIRE(key("path") == HashKey{Kind::path, ""});
  REQUIRE(key("header:X-Room") == HashKey{Kind::header, "X-Room"});
  REQUIRE(key("cookie:session") == HashKey{Kind::cookie, "session"});
  REQUIRE(key("query:room[id]") == HashKey{Kind::query, "room[id]"});

  const std::string forms =
      "must be \"client-ip\", \"header:NAME\", \"cookie:NAME\", \"query:NAME\" or \"path\", not ";
  for (const auto& row : std::vector<std::pair<std::string, std::string>>{
           {"", forms + "\"\""},
           {"ip", forms + "\"ip\""},
           {"coookie:a", forms + "\"coookie:a\" (did you mean \"cookie:a\"?)"},
           {"client_ip", forms + "\"client_ip\" (did you mean \"client-ip\"?)"},
           {"header", "\"header\" needs a name: \"header:NAME\""},
           {"path:/a", "\"path:/a\" takes no name: \"path\""},
           {"client-ip:", "\"client-ip:\" takes no name: \"client-ip\""},
           {"header:", "\"\" is not a header's name"},
           {"header:a b", "\"a b\" is not a header's name"},
           {"cookie:a;b", "\"a;b\" is not a cookie's name"},
           {"query:", "\"\" is not a parameter's name"},
           {"query:a&b", "\"a&b\" is not a parameter's name"}}) {
    CAPTURE(row.first);
    REQUIRE(problem_with("balance = \"hash\"\nhash_key = \"" + row.first + "\"") ==
            "f:10:12: backend \"app\": hash_key: " + row.second);
  }
  REQUIRE(problem_with("balance = \"hash\"\nhash_key = 7") ==
          "f:10:12: backend \"app\": hash_key: must be a string such as \"cookie:session\", not an "
          "integer");
}
