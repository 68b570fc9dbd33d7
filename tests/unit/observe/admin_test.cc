// The admin endpoint's API over a made-up process.

#include "proxy/observe/admin.h"

#include "tests/unit/observe/admin_rig.h"

using namespace fairlead;
using namespace fairlead::observe;
using namespace fairlead::observe::admin_rig;

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
        "\"drains\":[],\"servers\":{\"ready\":0,\"ejected\":0,\"down\":0,\"drain\":0},"
        "\"certificates\":[]}\n");
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
        "\"state\":\"ready\",\"weight\":1,\"sessions\":5,\"up\":true,\"set\":\"ready\",\"checked\":"
        "false},"
        "{\"address\":\"unix:/run/"
        "a.sock\",\"state\":\"ready\",\"weight\":1,\"sessions\":0,\"up\":true,"
        "\"set\":\"ready\",\"checked\":false}]}]}\n");
}

TEST_CASE("admin: a server that is ejected or down says why", "[observe][admin]") {
  ServerStatus server;
  server.address = "10.0.0.1:80";
  server.state = ServerState::ejected;
  server.up = false;
  server.reason = "connecting: Connection refused";
  server.since = 60;
  server.seconds_left = 3.25;
  server.last_error = server.reason;
  server.last_error_at = 61;
  CHECK(
      server_json(server) ==
      R"({"address":"10.0.0.1:80","state":"ejected","weight":1,"sessions":0,"up":false,"set":"ready",)"
      R"("checked":false,"reason":"connecting: Connection refused","since":"1970-01-01T00:01:00Z",)"
      R"("seconds_left":3.2,"last_error":"connecting: Connection refused",)"
      R"("last_error_at":"1970-01-01T00:01:01Z"})");
  server.state = ServerState::down;
  CHECK(server_json(server).find("seconds_left") == std::string::npos);
  // Nobody can set it so.
  std::string error;
  CHECK_FALSE(parse_change(R"({"state":"ejected"})", error));
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
        "\"up\":true,\"set\":\"ready\",\"checked\":false,\"changed\":true,\"drain\":null}\n");
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
  CHECK(rig.ask("DELETE", "/api/sessions/0000000000000001/tap").allow == "GET, HEAD");
  CHECK(rig.status("GET", "/api/sessions/17/tap") == 400);
  CHECK(rig.status("GET", "/api/sessions/0000000000000001/tap?bytes=257") == 400);
  rig.access = {AdminDoor::loopback, kToken};
  CHECK(rig.status("DELETE", "/api/sessions/0000000000000001") == 401);
  CHECK(rig.status("DELETE", "/api/sessions?route=x") == 401);
  CHECK_FALSE(rig.ask("GET", "/api/sessions").later == nullptr);
  CHECK(rig.control.closed == 0);
}
