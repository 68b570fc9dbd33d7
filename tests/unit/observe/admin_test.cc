// The admin endpoint's API over a made-up process.

#include "proxy/observe/admin.h"

#include "proxy/observe/admin_json.h"
#include "proxy/observe/json_value.h"
#include "proxy/wire/head_parser.h"
#include "tests/support/catch.h"

using namespace fairlead;
using namespace fairlead::observe;

namespace {

constexpr std::string_view kToken = "0123456789abcdef";

struct FakeControl final : Control {
  Status status() const override { return now; }

  std::vector<BackendStatus> backends() const override { return pools; }

  CounterView counters() const override { return {}; }

  std::string totals_json() const override { return "{\"messages_in\":7}"; }

  void watch(std::shared_ptr<EventStream> stream) override { watching = std::move(stream); }

  Outcome reload() override {
    ++reloads;
    return reload_outcome;
  }

  Outcome drain(std::optional<conf::Rate> rate) override {
    now.draining = true;
    process_rate = rate;
    return {};
  }

  Outcome set_drained(DrainKind kind, const std::string& name, const DrainChange& change) override {
    if (name != "0.0.0.0:443" && name != "unix:/run/a b")
      return {Outcome::Kind::not_found, "no", {}};
    last_kind = kind;
    last = change;
    Outcome outcome;
    outcome.changed = jobs.empty();
    if (change.drain) jobs = {{3, "listener " + name, change.rate ? change.rate->per_second : 0}};
    if (change.drain) outcome.drain = 3;
    return outcome;
  }

  std::vector<DrainStatus> drains() const override { return jobs; }

  Outcome undo_drain(std::uint32_t id) override {
    if (id != 3) return {Outcome::Kind::not_found, "there is no drain", {}};
    jobs.clear();
    return {};
  }

  Outcome upgrade() override {
    if (upgrade_outcome.kind == Outcome::Kind::done) {
      now.upgrade = UpgradeStatus{UpgradeStatus::State::running, 77, ""};
    }
    return upgrade_outcome;
  }

  Outcome set_server(const std::string& backend, const std::string& server,
                     const ServerChange& change) override {
    if (backend != "chat") return {Outcome::Kind::not_found, "there is no backend", {}};
    for (ServerStatus& one : pools[0].servers) {
      if (one.address != server) continue;
      if (change.state) one.state = *change.state;
      if (change.weight) one.weight = *change.weight;
      return {};
    }
    return {Outcome::Kind::not_found, "no such server", {}};
  }

  void list_sessions(const SessionQuery& query, Reply reply) override {
    asked = query;
    reply(200, "{}");
  }

  void show_session(std::uint64_t id, Reply reply) override {
    shown = id;
    reply(id == 1 ? 200 : 404, id == 1 ? "{}" : R"({"error":"none"})");
  }

  void close_session(std::uint64_t id, Reply reply) override {
    closed = id;
    reply(200, R"({"closed":1})");
  }

  void close_sessions(const SessionFilter& filter, Reply reply) override {
    asked.filter = filter;
    reply(200, R"({"closed":7})");
  }

  SessionQuery asked;
  std::uint64_t shown = 0;
  std::uint64_t closed = 0;
  Status now;
  std::vector<BackendStatus> pools{
      {"chat", {{"10.0.0.1:80", ServerState::ready, 1, 5, true}, {"unix:/run/a.sock"}}}};
  Outcome reload_outcome;
  Outcome upgrade_outcome;
  int reloads = 0;
  std::optional<conf::Rate> process_rate;
  std::optional<DrainKind> last_kind;
  DrainChange last;
  std::vector<DrainStatus> jobs;
  std::shared_ptr<EventStream> watching;
};

struct FakeStream final : EventStream {
  bool send(std::string_view) override { return true; }

  void on_end(std::function<void()>) override {}

  void end() override {}
};

struct Rig {
  AdminAnswer ask(const std::string& method, const std::string& path, const std::string& lines = "",
                  std::string_view body = "") {
    const std::string host = lines.find("Host:") == lines.npos ? "Host: localhost\r\n" : "";
    const std::string text = method + " " + path + " HTTP/1.1\r\n" + host + lines + "\r\n";
    wire::RequestHead head;
    INFO(text);
    REQUIRE(wire::parse_request(text, head) == wire::HeadError::none);
    const AdminAnswer answer = answer_admin(control, access, head, body);
    if (answer.status >= 400 && answer.type == "application/json") {
      const auto value = parse_json(answer.body);
      REQUIRE(value);
      REQUIRE_FALSE(value->string_of("error").empty());
    }
    return answer;
  }

  int status(const std::string& method, const std::string& path, const std::string& lines = "",
             std::string_view body = "") {
    return ask(method, path, lines, body).status;
  }

  FakeControl control;
  AdminAccess access{AdminDoor::unix_socket, ""};
};

const std::string kBearer = "Authorization: Bearer 0123456789abcdef\r\n";

}  // namespace

TEST_CASE("admin: the process's health", "[observe][admin]") {
  Rig rig;
  CHECK(rig.status("GET", "/healthz") == 200);
  CHECK(rig.status("HEAD", "/readyz") == 200);
  rig.control.now.draining = true;
  CHECK(rig.status("GET", "/healthz") == 200);
  CHECK(rig.status("GET", "/readyz") == 503);
}

TEST_CASE("admin: status and backends are JSON as the contract has it", "[observe][admin]") {
  Rig rig;
  rig.control.now = {"1.2", 9, 0, 1.5, false, 3, 100, 2, {1, 2}, {{"0.0.0.0:443", true}}, {}};
  AdminAnswer answer = rig.ask("GET", "/api/status");
  CHECK(answer.body ==
        "{\"version\":\"1.2\",\"pid\":9,\"started\":\"1970-01-01T00:00:00Z\",\"uptime_s\":1.500,"
        "\"draining\":false,\"connections\":3,\"max_connections\":100,\"sessions\":2,"
        "\"workers\":[{\"worker\":0,\"connections\":1},{\"worker\":1,\"connections\":2}],"
        "\"listeners\":[{\"address\":\"0.0.0.0:443\",\"tls\":true}],\"last_reload\":null,"
        "\"drains\":[],\"certificates\":[]}\n");
  rig.control.now.last_reload = ReloadStatus{false, 60, 2, 1};
  const auto status = parse_json(rig.ask("GET", "/api/status").body);
  REQUIRE(status);
  CHECK(status->find("last_reload")->string_of("at") == "1970-01-01T00:01:00Z");
  CHECK(status->find("last_reload")->number_of("failed") == 1);
  rig.control.now.certificates = {{"0.0.0.0:443", {"a.example", "*.b.example"}, 60}};
  answer = rig.ask("GET", "/api/status");
  CHECK(answer.body.find("\"certificates\":[{\"listener\":\"0.0.0.0:443\",\"names\":[\"a.example\","
                         "\"*.b.example\"],\"not_after\":\"1970-01-01T00:01:00Z\"}]") !=
        std::string::npos);
  answer = rig.ask("GET", "/api/backends");
  CHECK(answer.type == "application/json");
  CHECK(answer.body ==
        "{\"backends\":[{\"name\":\"chat\",\"servers\":[{\"address\":\"10.0.0.1:80\","
        "\"state\":\"ready\",\"weight\":1,\"sessions\":5,\"up\":true},{\"address\":"
        "\"unix:/run/a.sock\",\"state\":\"ready\",\"weight\":1,\"sessions\":0,\"up\":true}]}]}\n");
}

TEST_CASE("admin: the dashboard's files and its feed", "[observe][admin]") {
  Rig rig;
  AdminAnswer answer = rig.ask("GET", "/");
  CHECK(answer.type == "text/html; charset=utf-8");
  CHECK(answer.body.find("<!doctype html>") == 0);
  CHECK(rig.ask("HEAD", "/app.css").type == "text/css; charset=utf-8");
  CHECK(rig.ask("GET", "/app.js").type == "text/javascript; charset=utf-8");
  CHECK(rig.ask("GET", "/icon.svg").type == "image/svg+xml");
  answer = rig.ask("GET", "/api/live");
  REQUIRE(answer.stream);
  answer.stream(std::make_shared<FakeStream>());
  CHECK(rig.control.watching != nullptr);

  const std::string tick = tick_json(rig.control, 1234);
  CHECK(tick.find('\n') == std::string::npos);
  const auto value = parse_json(tick);
  REQUIRE(value);
  CHECK(value->number_of("at") == 1234);
  CHECK(value->find("status")->find("workers") != nullptr);
  CHECK(value->find("backends")->items.size() == 1);
  CHECK(value->find("totals")->number_of("messages_in") == 7);
}

TEST_CASE("admin: a server's state and weight", "[observe][admin]") {
  Rig rig;
  const std::string path = "/api/backends/chat/servers/10.0.0.1:80";
  AdminAnswer answer = rig.ask("POST", path, "", R"({"state":"drain","weight":7})");
  CHECK(answer.status == 200);
  CHECK(answer.body ==
        "{\"address\":\"10.0.0.1:80\",\"state\":\"drain\",\"weight\":7,\"sessions\":5,"
        "\"up\":true,\"changed\":true,\"drain\":null}\n");
  CHECK(rig.status("POST", path, "", R"({"weight":1000})") == 200);
  CHECK(rig.control.pools[0].servers[0].state == ServerState::drain);
  CHECK(rig.status("POST", path, "", R"({"state":"down"})") == 200);
  CHECK(rig.control.pools[0].servers[0].state == ServerState::down);
  for (const char* name : {"unix:/run/a.sock", "unix%3A%2Frun%2Fa.sock"}) {
    CAPTURE(name);
    CHECK(rig.status("POST", std::string("/api/backends/chat/servers/") + name, "",
                     R"({"weight":3})") == 200);
  }
  CHECK(rig.status("POST", "/api/backends/chat/servers/x", "", R"({"weight":3})") == 404);
  CHECK(rig.status("POST", "/api/backends/nope/servers/x", "", R"({"weight":3})") == 404);
  CHECK(rig.status("POST", "/api/backends/chat/servers/%zz", "", R"({"weight":3})") == 400);
  CHECK(rig.status("POST", "/api/backends/chat/servers/%4", "", R"({"weight":3})") == 400);
}

TEST_CASE("admin: a change that is none", "[observe][admin]") {
  Rig rig;
  const auto* body = GENERATE(values<const char*>({"",
                                                   "{}",
                                                   "[]",
                                                   "1",
                                                   "{",
                                                   R"({"state":"gone"})",
                                                   R"({"state":1})",
                                                   R"({"weight":0})",
                                                   R"({"weight":1001})",
                                                   R"({"weight":-1})",
                                                   R"({"weight":1.5})",
                                                   R"({"weight":"1"})",
                                                   R"({"weight":null})",
                                                   R"({"weight":1,"colour":"red"})",
                                                   R"({"weight":1e300})",
                                                   R"({"rate":"50/s"})",
                                                   R"({"weight":2,"rate":"50/s"})",
                                                   R"({"state":"ready","rate":"50/s"})",
                                                   R"({"state":"drain","rate":50})",
                                                   R"({"state":"drain","rate":"50"})",
                                                   R"({"state":"drain","rate":"0/s"})"}));
  CAPTURE(body);
  CHECK(rig.status("POST", "/api/backends/chat/servers/10.0.0.1:80", "", body) == 400);
  CHECK(rig.control.pools[0].servers[0].weight == 1);
}

TEST_CASE("admin: reload and drain", "[observe][admin]") {
  Rig rig;
  CHECK(rig.status("POST", "/api/reload") == 200);
  rig.control.reload_outcome = {Outcome::Kind::refused, "it failed", {"f:1:2: wrong"}};
  const AdminAnswer answer = rig.ask("POST", "/api/reload");
  CHECK(answer.status == 422);
  CHECK(answer.body == "{\"error\":\"it failed\",\"problems\":[\"f:1:2: wrong\"]}\n");
  rig.control.reload_outcome = {Outcome::Kind::unavailable, "not here", {}};
  CHECK(rig.status("POST", "/api/reload") == 501);
  rig.control.reload_outcome = {Outcome::Kind::refused, "it stops", {}};
  CHECK(rig.status("POST", "/api/reload") == 409);
  CHECK(rig.control.reloads == 4);
  CHECK(rig.status("POST", "/api/drain") == 200);
  CHECK(rig.control.now.draining);
  CHECK_FALSE(rig.control.process_rate);
  CHECK(rig.status("POST", "/api/drain", "", R"({"rate":"120/m"})") == 200);
  CHECK(rig.control.process_rate->per_second == 2);
  CHECK(rig.status("POST", "/api/drain", "", "{}") == 200);
  CHECK_FALSE(rig.control.process_rate);
  for (const char* body : {"x", "[]", R"({"rate":5})", R"({"state":"drain"})"})
    CHECK(rig.status("POST", "/api/drain", "", body) == 400);
}

TEST_CASE("admin: drains of listeners and routes", "[observe][admin]") {
  Rig rig;
  CHECK(rig.ask("GET", "/api/drains").body == "{\"drains\":[]}\n");
  const std::string path = "/api/listeners/0.0.0.0:443";
  const AdminAnswer answer = rig.ask("POST", path, "", R"({"state":"drain","rate":"50/s"})");
  CHECK(answer.body ==
        "{\"address\":\"0.0.0.0:443\",\"state\":\"drain\",\"changed\":true,\"drain\":{\"id\":3,"
        "\"what\":\"listener 0.0.0.0:443\",\"rate\":\"50/s\",\"total\":0,\"left\":0,\"told\":0,"
        "\"counted\":false,\"started\":\"1970-01-01T00:00:00Z\"}}\n");
  CHECK(rig.control.last_kind == DrainKind::listener);
  CHECK(rig.control.last.drain);
  rig.control.now.drains = rig.control.jobs;
  const auto status = parse_json(rig.ask("GET", "/api/status").body);
  CHECK(status->items_of("drains").at(0).number_of("id") == 3);
  CHECK(rig.ask("POST", "/api/routes/unix:%2Frun%2Fa%20b", "", R"({"state":"drain","rate":"off"})")
            .body.find("\"rate\":\"off\"") != std::string::npos);
  CHECK(rig.control.last_kind == DrainKind::route);
  CHECK(rig.control.last.rate->per_second == 0);
  CHECK(rig.status("POST", path, "", R"({"state":"ready"})") == 200);
  CHECK_FALSE(rig.control.last.drain);
  CHECK(rig.status("DELETE", "/api/drains/4") == 404);
  CHECK(rig.status("DELETE", "/api/drains/3x") == 404);
  CHECK(rig.status("DELETE", "/api/drains/99999999999") == 404);
  CHECK(rig.ask("DELETE", "/api/drains/3").body == "{\"undone\":true}\n");
  CHECK(rig.control.jobs.empty());
  CHECK(rig.status("POST", "/api/routes/nope", "", R"({"state":"drain"})") == 404);
  CHECK(rig.status("POST", "/api/routes/%zz", "", R"({"state":"drain"})") == 400);
  for (const char* body : {"", "{}", R"({"state":"down"})", R"({"state":"ready","rate":"1/s"})",
                           R"({"state":"drain","weight":2})", R"({"rate":"1/s"})"}) {
    CAPTURE(body);
    CHECK(rig.status("POST", path, "", body) == 400);
  }
}

TEST_CASE("admin: drains are written with the token only, by their methods", "[observe][admin]") {
  Rig rig;
  CHECK(rig.ask("GET", "/api/drains/3").allow == "DELETE");
  CHECK(rig.ask("POST", "/api/drains").allow == "GET, HEAD");
  CHECK(rig.ask("GET", "/api/routes/x").allow == "POST");
  CHECK(rig.ask("DELETE", "/api/listeners/x").allow == "POST");
  for (const char* path : {"/api/listeners", "/api/listeners/", "/api/routes/", "/api/drains/"})
    CHECK(rig.status("POST", path, "", R"({"state":"drain"})") == 404);
  rig.access = {AdminDoor::loopback, kToken};
  CHECK(rig.status("GET", "/api/drains") == 200);
  CHECK(rig.status("DELETE", "/api/drains/3") == 401);
  CHECK(rig.status("POST", "/api/listeners/0.0.0.0:443", "", R"({"state":"drain"})") == 401);
  CHECK_FALSE(rig.control.last_kind);
}

TEST_CASE("admin: an upgrade begins, and status tells how it went", "[observe][admin]") {
  Rig rig;
  const AdminAnswer begun = rig.ask("POST", "/api/upgrade");
  CHECK(begun.status == 200);
  CHECK(begun.body == "{\"state\":\"running\",\"pid\":77}\n");
  rig.control.now.upgrade = UpgradeStatus{UpgradeStatus::State::failed, 77, "it \"died\""};
  const auto status = parse_json(rig.ask("GET", "/api/status").body);
  REQUIRE(status);
  CHECK(status->find("upgrade")->string_of("state") == "failed");
  CHECK(status->find("upgrade")->string_of("error") == "it \"died\"");
  rig.control.upgrade_outcome = {Outcome::Kind::refused, "one is under way", {}};
  CHECK(rig.status("POST", "/api/upgrade") == 409);
  rig.access = {AdminDoor::loopback, kToken};
  CHECK(rig.status("POST", "/api/upgrade") == 401);
}

TEST_CASE("admin: other paths and methods", "[observe][admin]") {
  Rig rig;
  for (const char* path : {"/index", "/api/", "/api/backends/", "/api/backends/chat", "/metrics/",
                           "/x", "//", "/api/status/../reload"}) {
    CAPTURE(path);
    CHECK(rig.status("GET", path) == 404);
  }
  for (const char* path : {"/", "/app.js", "/api", "/healthz", "/readyz", "/metrics", "/api/status",
                           "/api/backends"}) {
    CAPTURE(path);
    CHECK(rig.status("GET", path) == 200);
    CHECK(rig.status("GET", std::string(path) + "?x=1") == 200);
    for (const char* method : {"POST", "DELETE", "OPTIONS", "get"}) {
      const AdminAnswer answer = rig.ask(method, path);
      CHECK(answer.status == 405);
      CHECK(answer.allow == "GET, HEAD");
    }
  }
  for (const char* path :
       {"/api/reload", "/api/drain", "/api/upgrade", "/api/backends/b/servers/s"}) {
    CAPTURE(path);
    for (const char* method : {"GET", "HEAD", "PUT"}) {
      const AdminAnswer answer = rig.ask(method, path);
      CHECK(answer.status == 405);
      CHECK(answer.allow == "POST");
    }
  }
  CHECK(rig.control.reloads == 0);
}

TEST_CASE("admin: on loopback everybody here may read, the token writes", "[observe][admin]") {
  Rig rig;
  rig.access = {AdminDoor::loopback, kToken};
  CHECK(rig.status("GET", "/api/status") == 200);
  CHECK(rig.status("POST", "/api/reload") == 401);
  for (const char* wrong :
       {"Authorization: Bearer 0123456789abcdeF\r\n", "Authorization: Bearer 0123456789abcde\r\n",
        "Authorization: Bearer\r\n", "Authorization: Basic 0123456789abcdef\r\n",
        "Authorization: 0123456789abcdef\r\n",
        "Authorization: Bearer 0123456789abcdef\r\nAuthorization: Bearer 0123456789abcdef\r\n"}) {
    CAPTURE(wrong);
    CHECK(rig.status("POST", "/api/reload", wrong) == 401);
  }
  CHECK(rig.control.reloads == 0);
  CHECK(rig.status("POST", "/api/reload", kBearer) == 200);
  CHECK(rig.status("POST", "/api/reload", "authorization: bearer 0123456789abcdef\r\n") == 200);

  rig.access.token = "";
  const AdminAnswer answer = rig.ask("POST", "/api/reload", kBearer);
  CHECK(answer.status == 403);
  CHECK(answer.body.find("token_file") != std::string::npos);
  CHECK(rig.status("POST", "/api/reload", "Authorization: Bearer \r\n") == 403);
  CHECK(rig.status("GET", "/metrics") == 200);
}

TEST_CASE("admin: from other machines only health is told without the token", "[observe][admin]") {
  Rig rig;
  rig.access = {AdminDoor::network, kToken};
  CHECK(rig.status("GET", "/healthz") == 200);
  CHECK(rig.status("GET", "/readyz") == 200);
  // A browser shows no token before it has the page.
  for (const char* path : {"/", "/app.js", "/app.css"}) {
    CAPTURE(path);
    CHECK(rig.status("GET", path) == 200);
    CHECK(rig.status("POST", path) == 401);
    CHECK(rig.status("GET", path, "Host: evil.example\r\n") == 403);
  }
  for (const char* path : {"/api", "/metrics", "/api/status", "/api/live", "/nothing"}) {
    CAPTURE(path);
    CHECK(rig.status("GET", path) == 401);
  }
  CHECK(rig.status("POST", "/healthz") == 401);
  CHECK(rig.status("GET", "/metrics", kBearer) == 200);
  CHECK(rig.status("GET", "/nothing", kBearer) == 404);
}

TEST_CASE("admin: a Host that is a name is refused", "[observe][admin]") {
  Rig rig;
  rig.access = {AdminDoor::loopback, kToken};
  for (const char* host : {"localhost", "LOCALHOST:9180", "127.0.0.1", "127.0.0.1:9180",
                           "[::1]:9180", "10.1.2.3:9999"}) {
    CAPTURE(host);
    CHECK(rig.status("GET", "/api/status", std::string("Host: ") + host + "\r\n") == 200);
  }
  for (const char* host : {"evil.example", "evil.example:9180", "localhost.evil.example",
                           "127.0.0.1.evil.example", "127.0.0.1x"}) {
    CAPTURE(host);
    const std::string line = std::string("Host: ") + host + "\r\n";
    CHECK(rig.status("GET", "/api/status", line) == 403);
    CHECK(rig.status("GET", "/healthz", line) == 403);
    CHECK(rig.status("GET", "/api/status", line + kBearer) == 200);
    rig.access.door = AdminDoor::unix_socket;
    CHECK(rig.status("GET", "/api/status", line) == 200);
    rig.access.door = AdminDoor::loopback;
  }
}

TEST_CASE("admin: a foreign Origin is refused, with the token too", "[observe][admin]") {
  Rig rig;
  const auto door = GENERATE(AdminDoor::unix_socket, AdminDoor::loopback, AdminDoor::network);
  rig.access = {door, kToken};
  const std::string head = "Host: localhost:9180\r\n" + kBearer;
  CHECK(rig.status("POST", "/api/reload", head + "Origin: http://localhost:9180\r\n") == 200);
  for (const char* origin : {"http://evil.example", "http://localhost", "http://localhost:3000",
                             "http://127.0.0.1:9180", "null", "", "localhost:9180"}) {
    CAPTURE(origin);
    const std::string line = head + "Origin: " + origin + "\r\n";
    CHECK(rig.status("POST", "/api/reload", line) == 403);
    CHECK(rig.status("GET", "/api/status", line) == 403);
  }
  CHECK(rig.status("POST", "/api/reload",
                   head + "Origin: http://localhost:9180\r\nOrigin: http://localhost:9180\r\n") ==
        403);
}

TEST_CASE("admin: sessions are answered later", "[observe][admin]") {
  Rig rig;
  const auto late = [&](const std::string& method, const std::string& target) {
    const AdminAnswer answer = rig.ask(method, target);
    INFO(method << " " << target);
    REQUIRE(answer.later);
    AdminAnswer got;
    answer.later([&](const AdminAnswer& reply) { got = reply; });
    CHECK(got.type == "application/json");
    return got;
  };
  CHECK(late("GET", "/api/sessions?route=chat&limit=7").status == 200);
  CHECK(rig.control.asked.filter.route == "chat");
  CHECK(rig.control.asked.limit == 7);
  CHECK(late("GET", "/api/sessions/0000000000000001").status == 200);
  CHECK(late("GET", "/api/sessions/0000000000000002").status == 404);
  CHECK(late("DELETE", "/api/sessions/00000000000000ff").body == R"({"closed":1})");
  CHECK(rig.control.closed == 0xff);
  CHECK(late("DELETE", "/api/sessions?backend=x").body == R"({"closed":7})");
  CHECK(rig.control.asked.filter.backend == "x");
}

TEST_CASE("admin: a bad question about sessions asks nobody", "[observe][admin]") {
  Rig rig;
  CHECK(rig.status("GET", "/api/sessions?limit=0") == 400);
  CHECK(rig.status("DELETE", "/api/sessions") == 400);
  CHECK(rig.status("GET", "/api/sessions/17") == 400);
  CHECK(rig.status("POST", "/api/sessions") == 405);
  CHECK(rig.status("PUT", "/api/sessions/0000000000000001") == 405);
  rig.access = {AdminDoor::loopback, kToken};
  CHECK(rig.status("DELETE", "/api/sessions/0000000000000001") == 401);
  CHECK(rig.status("DELETE", "/api/sessions?route=x") == 401);
  CHECK_FALSE(rig.ask("GET", "/api/sessions").later == nullptr);
  CHECK(rig.control.closed == 0);
}
