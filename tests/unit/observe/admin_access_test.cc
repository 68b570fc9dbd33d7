// Who may ask the admin endpoint for what.

#include "proxy/observe/admin.h"

#include "tests/unit/observe/admin_rig.h"

using namespace fairlead;
using namespace fairlead::observe;
using namespace fairlead::observe::admin_rig;

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

TEST_CASE("admin: the read token looks and scrapes, and does not act", "[observe][admin]") {
  Rig rig;
  const std::string reader = "Authorization: Bearer fedcba9876543210\r\n";
  const auto door = GENERATE(AdminDoor::loopback, AdminDoor::network);
  const bool both = GENERATE(true, false);
  rig.access = {door, both ? kToken : "", "fedcba9876543210"};
  for (const char* path : {"/metrics", "/api", "/api/status", "/api/backends", "/api/live",
                           "/api/drains", "/api/sessions/0000000000000001"}) {
    CAPTURE(path);
    CHECK(rig.status("GET", path, reader) == 200);
    CHECK(rig.status("HEAD", path, reader) == 200);
    CHECK(rig.status("GET", path, "Host: fairlead-admin.example\r\n" + reader) == 200);
  }

  struct Row {
    const char* method;
    const char* path;
  };

  for (const Row& row :
       {Row{"POST", "/api/reload"}, Row{"POST", "/api/drain"}, Row{"POST", "/api/upgrade"},
        Row{"DELETE", "/api/sessions"}, Row{"DELETE", "/api/sessions/0000000000000001"},
        Row{"DELETE", "/api/drains/3"}, Row{"POST", "/api/routes/a"},
        Row{"POST", "/api/listeners/0.0.0.0:443"},
        Row{"POST", "/api/backends/chat/servers/10.0.0.1:80"},
        Row{"GET", "/api/sessions/0000000000000001/tap"}, Row{"PUT", "/api/status"}}) {
    CAPTURE(row.method, row.path);
    const AdminAnswer answer = rig.ask(row.method, row.path, reader, "{\"state\":\"drain\"}");
    CHECK(answer.status == 403);
    CHECK(answer.body.find("read_token_file") != std::string::npos);
  }
  CHECK(rig.control.reloads == 0);
  CHECK(rig.control.closed == 0);
  CHECK_FALSE(rig.control.now.draining);
  CHECK(rig.status("POST", "/api/reload", kBearer) == (both ? 200 : 403));
  CHECK(rig.status("GET", "/metrics", "Authorization: Bearer fedcba987654321\r\n") ==
        (door == AdminDoor::network ? 401 : 200));
  CHECK(rig.status("GET", "/metrics", reader + "Origin: http://evil.example\r\n") == 403);
}
