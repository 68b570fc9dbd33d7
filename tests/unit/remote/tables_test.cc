#include "proxy/remote/tables.h"

#include "proxy/remote/commands.h"
#include "tests/support/catch.h"

using namespace fairlead;
using namespace fairlead::remote;

namespace {

observe::JsonValue json(std::string_view text) {
  const auto value = observe::parse_json(text);
  REQUIRE(value);
  return *value;
}

}  // namespace

TEST_CASE("tables: columns stand under each other, the last has no blanks behind it", "[remote]") {
  CHECK(table({{"A", "LONG", "C"}, {"wide one", "x", "1"}, {"ü", "", "2"}}) ==
        "A         LONG  C\n"
        "wide one  x     1\n"
        "ü               2\n");
  CHECK(table({}).empty());
}

TEST_CASE("tables: a backend's servers, a row each", "[remote]") {
  CHECK(backends_text(json(R"({"backends":[{"name":"chat","servers":[
          {"address":"10.0.0.11:8080","state":"ready","weight":1,"sessions":12,"up":true},
          {"address":"10.0.0.12:8080","state":"drain","weight":2,"sessions":0,"up":false}]},
          {"name":"empty","servers":[]}]})")) ==
        "BACKEND  SERVER          STATE  UP   WEIGHT  SESSIONS\n"
        "chat     10.0.0.11:8080  ready  yes  1       12\n"
        "chat     10.0.0.12:8080  drain  no   2       0\n");
}

TEST_CASE("tables: backends with servers out of names say which", "[remote][dns]") {
  CHECK(backends_text(json(R"({"backends":[{"name":"chat","servers":[
      {"address":"10.0.0.1:80","state":"ready","weight":1,"sessions":3,"up":true},
      {"address":"10.0.0.2:80","state":"ready","weight":1,"sessions":0,"up":true,
       "resolved_from":"app:80"}]}]})")) ==
        "BACKEND  SERVER       STATE  UP   WEIGHT  SESSIONS  FROM\n"
        "chat     10.0.0.1:80  ready  yes  1       3         -\n"
        "chat     10.0.0.2:80  ready  yes  1       0         app:80\n");
}

TEST_CASE("tables: servers that do not work say why", "[remote]") {
  CHECK(backends_text(json(R"({"backends":[{"name":"chat","servers":[
      {"address":"10.0.0.1:80","state":"ejected","weight":1,"sessions":0,"up":false,
       "seconds_left":3.6,"reason":"connecting: Connection refused"},
      {"address":"10.0.0.2:80","state":"ready","weight":1,"sessions":0,"up":true,
       "last_error":"no answer in time","last_error_at":"2026-01-02T03:04:05Z"},
      {"address":"10.0.0.3:80","state":"ready","weight":1,"sessions":0,"up":true}]}]})")) ==
        "BACKEND  SERVER       STATE             UP   WEIGHT  SESSIONS  WHY\n"
        "chat     10.0.0.1:80  ejected, 4s left  no   1       0         connecting: Connection "
        "refused\n"
        "chat     10.0.0.2:80  ready             yes  1       0         last error at "
        "2026-01-02T03:04:05Z: no answer in time\n"
        "chat     10.0.0.3:80  ready             yes  1       0         -\n");
  CHECK(status_text(json(R"({"servers":{"ready":2,"ejected":1,"down":0,"drain":0}})"))
            .find("servers      2 ready, 1 ejected\n") != std::string::npos);
}

TEST_CASE("tables: how the process is", "[remote]") {
  CHECK(status_text(json(R"({"version":"0.1.0","pid":42,"uptime_s":3725.2,"draining":false,
          "connections":12,"max_connections":100000,"sessions":9,
          "workers":[{"worker":0,"connections":7},{"worker":1,"connections":5}],
          "listeners":[{"address":"0.0.0.0:443","tls":true},{"address":"127.0.0.1:80","tls":false}],
          "last_reload":{"ok":false,"at":"2026-01-02T03:04:05Z"}})")) ==
        "version      0.1.0, process 42\n"
        "state        serving, up 1h 2m\n"
        "listening    0.0.0.0:443 (tls), 127.0.0.1:80\n"
        "connections  12 of 100000\n"
        "per worker   7 5\n"
        "sessions     9\n"
        "last reload  FAILED at 2026-01-02T03:04:05Z\n");
  const std::string other = status_text(json(R"({"draining":true,"last_reload":null})"));
  CHECK(other.find("draining") != std::string::npos);
  CHECK(other.find("none yet") != std::string::npos);
  const std::string failed = status_text(
      json(R"({"upgrade":{"state":"failed","pid":7,"error":"process 7 ended:\nwhy"}})"));
  CHECK(failed.find("upgrade      failed, process 7: process 7 ended:\\u000awhy\n") !=
        std::string::npos);
}

TEST_CASE("tables: what is being drained, in words", "[remote]") {
  CHECK(drain_text(json(R"({"what":"chat/10.0.0.1:80","rate":"50/s","total":500,"left":120,
          "told":380,"counted":true})")) ==
        "draining chat/10.0.0.1:80: 120 of 500 sessions left, 50/s");
  CHECK(drain_text(json(R"({"what":"all","rate":"off","total":5,"left":1,"counted":true})")) ==
        "draining all: 1 of 5 sessions left, all at once");
  CHECK(drain_text(json(R"({"what":"route a","rate":"1/s","told":7,"counted":true})")) ==
        "draining route a: done, 7 moved");
  CHECK(drain_text(json(R"({"what":"a\u001bb","rate":"1/s"})")) == R"(draining a\u001bb: begins)");
  const std::string status = status_text(json(R"({"drains":[{"what":"x"},{"what":"y"}]})"));
  CHECK(status.find("\ndraining x: begins\ndraining y: begins\n") != std::string::npos);
}

TEST_CASE("tables: an answer of another shape breaks nothing", "[remote]") {
  for (const char* text : {"null", "[]", "{}", R"({"backends":3,"listeners":"x","workers":[1,[]]})",
                           R"({"backends":[1,{"servers":[null]}],"uptime_s":-1e300})"}) {
    CAPTURE(text);
    CHECK_FALSE(status_text(json(text)).empty());
    CHECK_FALSE(backends_text(json(text)).empty());
  }
  CHECK(printable("a\x1b[2Jb\n\x7f") == R"(a\u001b[2Jb\u000a\u007f)");
  CHECK(printable("\xc2\x9b"
                  "2J\xe2\x80\xae\xff") == R"(\u009b2J\u202e\ufffd)");
}

TEST_CASE("tables: durations", "[remote]") {
  CHECK(duration_text(0) == "0s");
  CHECK(duration_text(59.9) == "59s");
  CHECK(duration_text(60) == "1m 0s");
  CHECK(duration_text(3599) == "59m 59s");
  CHECK(duration_text(86399) == "23h 59m");
  CHECK(duration_text(86400 * 3 + 3600 * 4) == "3d 4h");
  CHECK(duration_text(-5) == "0s");
}

TEST_CASE("commands: the ways to name an endpoint", "[remote]") {
  std::string error;
  for (const char* text :
       {"9180", ":9180", "127.0.0.1:9180", "http://127.0.0.1:9180", "http://127.0.0.1:9180/"}) {
    CAPTURE(text);
    const auto address = parse_target(text, error);
    REQUIRE(address);
    CHECK(address->text() == "127.0.0.1:9180");
  }
  CHECK(parse_target("[::1]:1", error)->text() == "[::1]:1");
  CHECK(parse_target("unix:/run/a.sock", error)->text() == "unix:/run/a.sock");
  CHECK(error.empty());
  for (const char* text : {"", ":", "127.0.0.1", "http://", "a b:1", "99999", "https://a:1"}) {
    CAPTURE(text);
    error.clear();
    CHECK_FALSE(parse_target(text, error));
    CHECK_FALSE(error.empty());
  }
}

TEST_CASE("commands: a server's path", "[remote]") {
  CHECK(server_path("chat/10.0.0.11:8080") == "/api/backends/chat/servers/10.0.0.11:8080");
  CHECK(server_path("chat/[::1]:80") == "/api/backends/chat/servers/%5B::1%5D:80");
  CHECK(server_path("c/unix:/run/a b") == "/api/backends/c/servers/unix:%2Frun%2Fa%20b");
  for (const char* name : {"", "chat", "chat/", "/x", "/"}) CHECK(server_path(name).empty());
}
