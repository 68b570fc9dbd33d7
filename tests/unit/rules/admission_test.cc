#include "proxy/rules/admission.h"

#include <memory>
#include <string>

#include "tests/support/catch.h"
#include "tests/unit/rules/heads.h"

namespace fairlead::rules {
namespace {

using std::chrono::milliseconds;

const Clock::time_point kNow{std::chrono::hours(1000)};
constexpr auto kAdmit = static_cast<Cause>(0xff);  // no cause: a table's word for "admitted"

// Route 0: /ws, handshakes, limited. Route 1: /http, plain. Route 2: /sub, by subprotocol. Route 3:
// /both, any origin.
struct Scene {
  Scene() {
    routes[0].path = "/ws";
    routes[0].kind = conf::Route::Kind::websocket;
    routes[0].limits.handshakes_per_ip = conf::Rate{0.1, 2};
    routes[0].limits.connections_per_ip = 1;
    routes[1].path = "/http";
    routes[1].kind = conf::Route::Kind::http;
    routes[2].path = "/sub";
    routes[2].subprotocols = {"v2"};
    routes[3].path = "/both";
    routes[3].origins[0].kind = conf::OriginPattern::Kind::any;
    router = std::make_unique<Router>(routes);
    table = std::make_unique<IpLimits>(routes[0].limits);
    limits[0] = table.get();
    client.ip = conf::Ip::v4(0xc0000207);
    client.secure = true;
  }

  Admission ask(const std::string& lines, bool draining = false) {
    const Request request(lines);
    return admit(request.head, client, {routes, *router, limits}, draining, kNow);
  }

  std::vector<conf::Route> routes{4};
  std::unique_ptr<Router> router;
  std::unique_ptr<IpLimits> table;
  std::vector<IpLimits*> limits{nullptr, nullptr, nullptr, nullptr};
  Client client;
};

struct Handshake {
  std::string path = "/ws";
  std::string origin = "https://a.com";
  std::string version = "13";
  std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  std::string more;

  std::string text() const {
    return "GET " + path + " HTTP/1.1\nHost: a.com\nUpgrade: websocket\nConnection: Upgrade" +
           "\nSec-WebSocket-Version: " + version + "\nSec-WebSocket-Key: " + key +
           (origin.empty() ? "" : "\nOrigin: " + origin) + (more.empty() ? "" : "\n" + more);
  }
};

}  // namespace

TEST_CASE("admission: a good handshake is admitted and counted", "[rules][admission]") {
  Scene scene;
  const auto admission = scene.ask(Handshake().text());
  CHECK_FALSE(admission.refused);
  CHECK(admission.route == 0);
  CHECK(admission.websocket);
  CHECK(admission.counted);
  CHECK(scene.table->open(scene.client.ip) == 1);
}

TEST_CASE("admission: the first check that fails is the one reported", "[rules][admission]") {
  // From the last check to the first: each row adds one more thing that is wrong.
  Scene scene;
  Handshake request;
  const auto check = [&](Cause want, std::size_t route, bool draining) {
    const auto admission = scene.ask(request.text(), draining);
    CHECK(admission.refused == want);
    CHECK(admission.route == route);
    CHECK(admission.websocket);
    CHECK_FALSE(admission.counted);
    return admission.retry_after;
  };
  REQUIRE(scene.ask(request.text()).counted);

  CHECK(check(Cause::too_many_connections_from_ip, 0, false) == kRetryLimited);
  CHECK(check(Cause::handshake_rate, 0, false) == milliseconds(10'000));
  request.origin = "https://evil.org";
  CHECK(check(Cause::origin_denied, 0, false) == milliseconds(0));
  CHECK(check(Cause::draining, 0, true) == kRetryUnavailable);
  request.path = "/nowhere";
  CHECK(check(Cause::no_route, Router::kNone, true) == milliseconds(0));
  request.key = "short";
  CHECK(check(Cause::bad_websocket_key, Router::kNone, true) == milliseconds(0));
  request.version = "8";
  CHECK(check(Cause::bad_websocket_version, Router::kNone, true) == milliseconds(0));
}

TEST_CASE("admission: what is refused before the limits costs no token", "[rules][admission]") {
  Scene scene;
  Handshake denied;
  denied.origin = "https://evil.org";
  for (int i = 0; i < 10; ++i) {
    CHECK(scene.ask(denied.text()).refused == Cause::origin_denied);
    CHECK(scene.ask(Handshake().text(), true).refused == Cause::draining);
  }
  CHECK(scene.table->entries() == 0);
  CHECK_FALSE(scene.ask(Handshake().text()).refused);
}

TEST_CASE("admission: a short wait for a token is rounded up to Retry-After's least",
          "[rules][admission]") {
  Scene scene;
  scene.routes[0].limits.handshakes_per_ip = conf::Rate{100, 1};
  scene.table = std::make_unique<IpLimits>(scene.routes[0].limits);
  scene.limits[0] = scene.table.get();
  CHECK_FALSE(scene.ask(Handshake().text()).refused);
  const auto admission = scene.ask(Handshake().text());
  CHECK(admission.refused == Cause::handshake_rate);
  CHECK(admission.retry_after == kRetryLimited);
}

TEST_CASE("admission: plain HTTP", "[rules][admission]") {
  struct Row {
    const char* lines;
    Cause want;
    const char* why;
  };

  const Row rows[] = {
      {"GET /http HTTP/1.1\nHost: a.com", kAdmit, "a GET"},
      {"HEAD /http HTTP/1.1\nHost: a.com", kAdmit, "a HEAD"},
      {"GET /http HTTP/1.0", kAdmit, "HTTP/1.0"},
      {"GET /http HTTP/1.1\nHost: a.com\nContent-Length: 0", kAdmit, "no body, and says so"},
      {"GET /http HTTP/1.1\nHost: a.com\nOrigin: https://evil.org", kAdmit, "Origin: CORS, not us"},
      {"GET /http HTTP/1.1\nHost: a.com\nUpgrade: h2c\nConnection: Upgrade", kAdmit,
       "another Upgrade"},
      {"GET /http HTTP/1.1\nHost: a.com\nUpgrade: websocket", kAdmit, "Connection lacks upgrade"},
      {"GET /http HTTP/1.1\nHost: a.com\nUpgrade: websocket\nConnection: close", kAdmit,
       "Connection says something else"},
      {"GET /http HTTP/1.0\nUpgrade: websocket\nConnection: Upgrade", kAdmit,
       "a handshake needs HTTP/1.1"},
      {"POST /http HTTP/1.1\nHost: a.com\nContent-Length: 1", kAdmit, "a body"},
      {"GET /http HTTP/1.1\nHost: a.com\nTransfer-Encoding: chunked", kAdmit, "a body in chunks"},
      {"PATCH /http HTTP/1.1\nHost: a.com", kAdmit, "any method"},
      {"get /http HTTP/1.1\nHost: a.com", kAdmit, "methods have a case, and are not ours"},
      {"GET /ws HTTP/1.1\nHost: a.com\nUpgrade: websocket\nConnection: Upgrade\nContent-Length: 1",
       Cause::no_route, "a handshake has no body"},
      {"POST /ws HTTP/1.1\nHost: a.com\nUpgrade: websocket\nConnection: Upgrade", Cause::no_route,
       "a handshake is a GET"},
      {"GET /nowhere HTTP/1.1\nHost: a.com", Cause::no_route, "no route"},
      {"GET /ws HTTP/1.1\nHost: a.com", Cause::no_route, "a route for handshakes only"},
  };
  Scene scene;
  for (const auto& row : rows) {
    CAPTURE(row.lines, row.why);
    const auto admission = scene.ask(row.lines);
    CHECK(admission.refused.value_or(kAdmit) == row.want);
    CHECK_FALSE(admission.websocket);
    CHECK_FALSE(admission.counted);
    if (row.want == kAdmit) CHECK(admission.route == 1);
  }
  CHECK(scene.table->entries() == 0);
}

TEST_CASE("admission: while draining plain requests are refused too", "[rules][admission]") {
  Scene scene;
  const auto admission = scene.ask("GET /http HTTP/1.1\nHost: a.com", true);
  CHECK(admission.refused == Cause::draining);
  CHECK(admission.retry_after == kRetryUnavailable);
  CHECK(admission.route == 1);
}

TEST_CASE("admission: the route decides by kind and by subprotocol", "[rules][admission]") {
  Scene scene;
  Handshake request;
  request.path = "/http";
  CHECK(scene.ask(request.text()).refused == Cause::no_route);
  request.path = "/sub";
  CHECK(scene.ask(request.text()).refused == Cause::no_route);
  request.more = "Sec-WebSocket-Protocol: v1\nA: b\nSec-WebSocket-Protocol: v2";
  CHECK(scene.ask(request.text()).route == 2);
}

TEST_CASE("admission: the origin is judged by Host and by what is secure", "[rules][admission]") {
  Scene scene;
  Handshake request;
  request.path = "/sub";
  request.more = "Sec-WebSocket-Protocol: v2";
  request.origin = "http://a.com";
  CHECK(scene.ask(request.text()).refused == Cause::origin_denied);
  scene.client.secure = false;
  CHECK_FALSE(scene.ask(request.text()).refused);
  SECTION("absent") {
    request.origin = "";
    CHECK_FALSE(scene.ask(request.text()).refused);
    scene.routes[2].require_origin = true;
    CHECK(scene.ask(request.text()).refused == Cause::origin_denied);
  }
  SECTION("two are as good as a wrong one") {
    request.more += "\nOrigin: http://a.com";
    CHECK(scene.ask(request.text()).refused == Cause::origin_denied);
    request.path = "/both";
    CHECK_FALSE(scene.ask(request.text()).refused);
  }
}

TEST_CASE("admission: behind a proxy that rewrites Host the origin is judged by what it forwards",
          "[rules][admission]") {
  struct Row {
    const char* origin;
    const char* fields;  // of the proxy, with Host: a.com rewritten to inner
    bool trusted;
    bool want;
    const char* why;
  };

  const Row rows[] = {
      {"https://b.com", "X-Forwarded-Host: b.com\nX-Forwarded-Proto: https", true, true, "Apache"},
      {"https://b.com", "X-Forwarded-Host: b.com", true, true, "TLS ended in front, unsaid"},
      {"https://b.com:8443", "X-Forwarded-Host: b.com:8443", true, true, "with a port"},
      {"https://b.com", "X-Forwarded-Host: evil.org, b.com", true, true, "a client's word before"},
      {"https://evil.org", "X-Forwarded-Host: evil.org, b.com", true, false, "it does not count"},
      {"https://evil.org", "X-Forwarded-Host: b.com", true, false, "another page"},
      {"http://b.com", "X-Forwarded-Host: b.com\nX-Forwarded-Proto: https", true, false,
       "a plain page, a secure request"},
      {"http://b.com", "X-Forwarded-Host: b.com\nX-Forwarded-Proto: http", true, true, "plain"},
      {"https://a.com", "X-Forwarded-Host: b.com", true, false, "the inner Host is no more asked"},
      {"https://a.com", "X-Forwarded-Host: <b>", true, true, "no host: the request's own"},
      {"https://a.com", "A: b", true, true, "a proxy that keeps Host and adds nothing"},
      {"https://b.com", "X-Forwarded-Host: b.com", false, false, "a stranger's word"},
      {"https://a.com", "X-Forwarded-Host: b.com", false, true, "... changes nothing"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.origin, row.fields, row.why);
    Scene scene;
    scene.routes[0].limits = {};
    Handshake handshake;
    handshake.origin = row.origin;
    handshake.more = row.fields;
    const Request request(handshake.text());
    Peer peer;
    peer.ip = conf::Ip::v4(0x0a000001);
    peer.trusted = row.trusted;
    scene.client = find_client(request.head, peer, {*conf::Cidr::parse("10.0.0.0/8")});
    scene.limits[0] = nullptr;
    const auto admission =
        admit(request.head, scene.client, {scene.routes, *scene.router, scene.limits}, false, kNow);
    CHECK(admission.refused.value_or(kAdmit) == (row.want ? kAdmit : Cause::origin_denied));
  }
}

TEST_CASE("admission: a path takes its route however it is spelled", "[rules][admission]") {
  std::vector<conf::Route> routes(3);
  routes[0].path = "/chat";
  routes[1].path = "/";
  routes[2].path = "/b%c3%a4r";
  const Router router(routes);
  const std::vector<IpLimits*> limits(3, nullptr);

  struct Row {
    const char* path;
    std::size_t want;  // kBad: 400
  };

  constexpr std::size_t kBad = 9;
  const Row rows[] = {
      {"/chat", 0},
      {"/%63hat", 0},
      {"/%63%68%61%74/", 0},
      {"//chat", 0},
      {"/chat//", 0},
      {"/x/../chat", 0},
      {"/x/%2e%2E/chat", 0},
      {"/./chat", 0},
      {"/%2e/chat", 0},
      {"/../chat", 0},
      {"/x//../chat", kBad},
      {"/\\chat", 0},
      {"/chat\\a", 0},
      {"http://a.com//chat", 0},
      {"/chat?x=/../", 0},
      {"/chat/..", 1},
      {"/chat/../x", 1},
      {"/chat%2Fa", 1},
      {"/chat%5ca", 1},
      {"/%2563hat", 1},
      {"/Chat", 1},
      {"/chatter", 1},
      {"/chat;a=b", 1},
      {"/b%C3%A4r/x", 2},
      {"/chat%00", kBad},
      {"/%00/../chat", kBad},
      {"/chat/%", kBad},
      {"/chat/%6", kBad},
      {"/chat/%zz", kBad},
      {"/chat//../x", kBad},
      {"/chat/a\\..\\..\\x", kBad},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path);
    const Request request(std::string("GET ") + row.path + " HTTP/1.1\nHost: a.com");
    const auto admission = admit(request.head, {}, {routes, router, limits}, false, kNow);
    if (row.want == kBad) {
      CHECK(admission.refused == Cause::malformed_request);
      continue;
    }
    CHECK_FALSE(admission.refused);
    CHECK(admission.route == row.want);
  }
}

TEST_CASE("admission: a route without limits counts nothing", "[rules][admission]") {
  Scene scene;
  Handshake request;
  request.path = "/both";
  for (int i = 0; i < 10; ++i) {
    const auto admission = scene.ask(request.text());
    REQUIRE_FALSE(admission.refused);
    REQUIRE_FALSE(admission.counted);
  }
}

TEST_CASE("admission: what has been here before goes nowhere", "[rules][admission]") {
  Scene scene;
  const AdmissionRules rules{scene.routes, *scene.router, scene.limits, "00112233445566ff"};
  const auto ask = [&](const std::string& lines) {
    const Request request(lines);
    return admit(request.head, scene.client, rules, false, kNow);
  };
  const std::string plain = "GET /http HTTP/1.1\nHost: a.com\nFairlead-Via: ";
  CHECK(ask(plain + "00112233445566ff").refused == Cause::loop_detected);
  CHECK_FALSE(ask(plain + "ffffffffffffffff").refused);
  Handshake handshake;
  handshake.more = "Fairlead-Via: ffffffffffffffff, 00112233445566ff";
  const Admission back = ask(handshake.text());
  CHECK(back.refused == Cause::loop_detected);
  CHECK(back.websocket);
  CHECK_FALSE(back.counted);
  handshake.more.clear();
  CHECK_FALSE(ask(handshake.text()).refused);
  CHECK(failure(Cause::loop_detected).status == 508);
}

}  // namespace fairlead::rules
