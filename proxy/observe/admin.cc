#include "proxy/observe/admin.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "conf/ip.h"
#include "proxy/dashboard/assets.h"
#include "proxy/observe/admin_drains.h"
#include "proxy/observe/admin_json.h"
#include "proxy/observe/metrics.h"
#include "proxy/observe/tap.h"
#include "proxy/rules/authority.h"
#include "tls/digest.h"

namespace fairlead::observe {
namespace {

constexpr std::string_view kContents = R"(Fairlead's admin endpoint.

GET  /                   the dashboard
GET  /healthz            200 while the process lives
GET  /readyz             503 while it drains
GET  /metrics            for Prometheus
GET  /api/status
GET  /api/backends
GET  /api/sessions       ?route=&backend=&server=&client=&sort=age|idle|rate&limit=&offset=
GET  /api/sessions/ID    ID: the conn_id of the access log
DELETE /api/sessions/ID
DELETE /api/sessions     ?route=&backend=&server=&client=   closes all that match
GET  /api/sessions/ID/tap?bytes=N   its frames as they come, as events; as a write is
GET  /api/live           server-sent events: how it is, each second
POST /api/reload
POST /api/drain          ends the process as TERM does   {"rate":"50/s"}
POST /api/upgrade        hands over to a new process; "upgrade" in /api/status tells how it went
POST /api/backends/NAME/servers/ADDRESS   {"state":"ready|drain|down","weight":N,"rate":"50/s"}
POST /api/listeners/ADDRESS   {"state":"ready|drain","rate":"50/s"}
POST /api/routes/NAME         {"state":"ready|drain","rate":"50/s"}
GET  /api/drains         what is being drained, and how far it is
DELETE /api/drains/ID    stops and undoes it
)";

// What one request has to do with.
struct Call {
  Control& control;
  std::string_view query;  // with its '?', or ""
  std::string_view body;
  std::array<std::string_view, 2> names{};  // what stood for the stars of Endpoint::path
};

AdminAnswer json(std::string body) {
  return {200, "application/json", std::move(body)};
}

AdminAnswer plain(int status, std::string_view body) {
  return {status, "text/plain; charset=utf-8", std::string(body)};
}

AdminAnswer contents(const Call&) {
  return plain(200, kContents);
}

AdminAnswer healthz(const Call&) {
  return plain(200, "ok\n");
}

AdminAnswer readyz(const Call& call) {
  return call.control.status().draining ? plain(503, "draining\n") : plain(200, "ready\n");
}

AdminAnswer metrics(const Call& call) {
  return {200, "text/plain; version=0.0.4; charset=utf-8",
          metrics_text(call.control.status(), call.control.backends(), call.control.counters())};
}

AdminAnswer get_status(const Call& call) {
  return json(status_json(call.control.status()));
}

AdminAnswer get_backends(const Call& call) {
  return json(backends_json(call.control.backends()));
}

AdminAnswer live(const Call& call) {
  AdminAnswer answer;
  answer.stream = [&control = call.control](std::shared_ptr<EventStream> stream) {
    control.watch(std::move(stream));
  };
  return answer;
}

AdminAnswer reload(const Call& call) {
  const Outcome outcome = call.control.reload();
  return outcome.kind == Outcome::Kind::done ? json("{\"ok\":true}\n") : admin_failure(outcome);
}

AdminAnswer drain(const Call& call) {
  std::string error;
  const auto rate = parse_drain_rate(call.body, error);
  if (!error.empty()) return admin_error(400, error);
  const Outcome outcome = call.control.drain(rate);
  if (outcome.kind != Outcome::Kind::done) return admin_failure(outcome);
  return json(drain_json(R"("draining":true)", outcome, call.control.drains()));
}

AdminAnswer upgrade(const Call& call) {
  const Outcome outcome = call.control.upgrade();
  if (outcome.kind != Outcome::Kind::done) return admin_failure(outcome);
  return json(upgrade_json(call.control.status().upgrade) + "\n");
}

AdminAnswer set_server(const Call& call) {
  const auto backend = decoded_part(call.names[0]);
  const auto server = decoded_part(call.names[1]);
  if (!backend || !server) return admin_error(400, "bad percent-encoding in the path");
  std::string error;
  const auto change = parse_change(call.body, error);
  if (!change) return admin_error(400, error);
  const Outcome outcome = call.control.set_server(*backend, *server, *change);
  if (outcome.kind != Outcome::Kind::done) return admin_failure(outcome);
  for (const BackendStatus& one : call.control.backends()) {
    for (const ServerStatus& status : one.servers) {
      if (one.name != *backend || status.address != *server) continue;
      const std::string about = server_json(status);
      return json(drain_json(about.substr(1, about.size() - 2), outcome, call.control.drains()));
    }
  }
  return json("{}\n");
}

// An answer that the workers have to be asked for.
AdminAnswer later(std::function<void(Control::Reply)> ask) {
  AdminAnswer answer;
  answer.later = [ask = std::move(ask)](const AdminReply& reply) {
    ask([reply](int status, std::string body) {
      reply({status, "application/json", std::move(body)});
    });
  };
  return answer;
}

AdminAnswer list_sessions(const Call& call) {
  std::string error;
  const auto query = parse_session_query(call.query, false, error);
  if (!query) return admin_error(400, error);
  return later([&control = call.control, query = *query](Control::Reply reply) {
    control.list_sessions(query, std::move(reply));
  });
}

AdminAnswer close_sessions(const Call& call) {
  std::string error;
  const auto query = parse_session_query(call.query, true, error);
  if (!query) return admin_error(400, error);
  return later([&control = call.control, query = *query](Control::Reply reply) {
    control.close_sessions(query.filter, std::move(reply));
  });
}

constexpr std::string_view kBadId = "a session's id has 16 hexadecimal digits: its conn_id";

AdminAnswer one_session(const Call& call, bool close) {
  const auto id = parse_conn_id(call.names[0]);
  if (!id) return admin_error(400, kBadId);
  return later([&control = call.control, id = *id, close](Control::Reply reply) {
    if (close) return control.close_session(id, std::move(reply));
    control.show_session(id, std::move(reply));
  });
}

AdminAnswer show_session(const Call& call) {
  return one_session(call, false);
}

AdminAnswer close_session(const Call& call) {
  return one_session(call, true);
}

// A number in a query; `fallback` where it is absent, nothing where it is none.
std::optional<std::size_t> query_number(std::string_view query, std::string_view name,
                                        std::size_t fallback) {
  const std::string_view text = wire::query_value(query, name);
  if (text.empty()) return fallback;
  std::size_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

AdminAnswer tap(const Call& call) {
  const auto id = parse_conn_id(call.names[0]);
  if (!id) return admin_error(400, kBadId);
  const auto bytes = query_number(call.query, "bytes", 0);
  if (!bytes || *bytes > kTapBytes) return admin_error(400, "bytes has to be 0 to 256");
  const TapRequest request{*id, *bytes};
  AdminAnswer answer;
  answer.later = [&control = call.control, request](AdminReply reply) {
    control.tap(request, [reply](const Outcome& outcome, auto start) {
      if (outcome.kind != Outcome::Kind::done) return reply(admin_failure(outcome));
      AdminAnswer stream;
      stream.stream = std::move(start);
      reply(stream);
    });
  };
  return answer;
}

struct Endpoint {
  std::string_view method;  // HEAD is answered as GET is
  std::string_view path;    // a "*" stands for a name up to what follows, the last one for the rest
  AdminAnswer (*answer)(const Call&);
};

constexpr std::array kEndpoints = {
    Endpoint{"GET", "/api", contents},
    Endpoint{"GET", "/healthz", healthz},
    Endpoint{"GET", "/readyz", readyz},
    Endpoint{"GET", "/metrics", metrics},
    Endpoint{"GET", "/api/status", get_status},
    Endpoint{"GET", "/api/backends", get_backends},
    Endpoint{"GET", "/api/live", live},
    Endpoint{"POST", "/api/backends/*/servers/*", set_server},
    Endpoint{"GET", "/api/sessions", list_sessions},
    Endpoint{"DELETE", "/api/sessions", close_sessions},
    Endpoint{"GET", "/api/sessions/*/tap", tap},
    Endpoint{"GET", "/api/sessions/*", show_session},
    Endpoint{"DELETE", "/api/sessions/*", close_session},
    Endpoint{"POST", "/api/reload", reload},
    Endpoint{"POST", "/api/drain", drain},
    Endpoint{"POST", "/api/upgrade", upgrade},
};

// Whether `path` is one of `pattern`; what stood for its stars goes into `names`. The last may have
// slashes of its own (a unix socket).
bool matches(std::string_view pattern, std::string_view path,
             std::array<std::string_view, 2>& names) {
  for (std::string_view& name : names) {
    const std::size_t star = pattern.find('*');
    if (star == std::string_view::npos) break;
    if (path.substr(0, star) != pattern.substr(0, star)) return false;
    path.remove_prefix(star);
    pattern.remove_prefix(star + 1);
    const std::string_view next = pattern.substr(0, pattern.find('*'));
    const std::size_t end = next.empty() ? path.size() : path.find(next);
    if (end == std::string_view::npos) return false;
    name = path.substr(0, end);
    path.remove_prefix(end);
  }
  return path == pattern;
}

std::string_view type_of(std::string_view path) {
  const std::string_view extension = path.substr(path.rfind('.') + 1);
  if (extension == "html") return "text/html; charset=utf-8";
  if (extension == "css") return "text/css; charset=utf-8";
  if (extension == "js") return "text/javascript; charset=utf-8";
  return "image/svg+xml";
}

// A file of the dashboard; null: it is none.
const dashboard::Asset* find_asset(std::string_view path) {
  if (path == "/") path = "/index.html";
  const auto assets = dashboard::assets();
  const auto found =
      std::find_if(assets.begin(), assets.end(),
                   [path](const dashboard::Asset& asset) { return asset.path == path; });
  return found == assets.end() ? nullptr : &*found;
}

AdminAnswer call_endpoint(Call call, std::string_view method, std::string_view path) {
  if (method == "HEAD") method = "GET";
  std::string allow;
  std::string_view found;  // of the paths that fit, the first counts
  for (const Endpoint& endpoint : kEndpoints) {
    if (!found.empty() && endpoint.path != found) continue;
    if (!matches(endpoint.path, path, call.names)) continue;
    found = endpoint.path;
    if (endpoint.method == method) return endpoint.answer(call);
    if (!allow.empty()) allow += ", ";
    allow.append(endpoint.method == "GET" ? "GET, HEAD" : endpoint.method);
  }
  if (const dashboard::Asset* asset = find_asset(path)) {
    if (method == "GET") return {200, type_of(asset->path), std::string(asset->bytes)};
    allow = "GET, HEAD";
  }
  if (allow.empty()) return admin_error(404, "there is no such path");
  AdminAnswer answer = admin_error(405, "this path takes another method: see Allow");
  answer.allow = std::move(allow);
  return answer;
}

// `token`: the right one; "" for none, which nobody can show.
bool shows_token(std::string_view token, const wire::RequestHead& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view given = request.fields.get("Authorization");
  if (token.empty() || request.fields.count("Authorization") != 1) return false;
  if (!wire::iequals(given.substr(0, kScheme.size()), kScheme)) return false;
  return tls::equal_constant_time(wire::trim(given.substr(kScheme.size())), token);
}

// A page of a foreign name that resolves to this address (DNS rebinding) sends its name as Host. An
// address cannot be rebound, and browsers never look "localhost" up.
bool is_own_host(std::string_view host) {
  const auto authority = rules::parse_authority(host);
  if (!authority) return false;
  std::string_view name = authority->host;
  if (name.size() > 2 && name.front() == '[') name = name.substr(1, name.size() - 2);
  return name == "localhost" || conf::Ip::parse(name).has_value();
}

// Only a page of this endpoint itself may ask from a browser.
bool is_own_origin(const wire::RequestHead& request) {
  if (request.fields.count("Origin") == 0) return true;
  const std::string_view origin = request.fields.get("Origin");
  const std::size_t scheme = origin.find("://");
  if (request.fields.count("Origin") > 1 || scheme == std::string_view::npos) return false;
  const auto asking = rules::parse_authority(origin.substr(scheme + 3));
  return asking && asking == rules::parse_authority(request.host);
}

// What stands against it; nothing: it may. `open`: it tells nothing that needs the token, which a
// browser cannot show before it has the page that asks for it.
std::optional<AdminAnswer> refusal(const AdminAccess& access, const wire::RequestHead& request,
                                   bool writes, bool open) {
  const bool token = shows_token(access.token, request);
  const bool read_token = !token && shows_token(access.read_token, request);
  if (!is_own_origin(request)) return admin_error(403, "foreign Origin");
  if (access.door == AdminDoor::unix_socket) return std::nullopt;
  if (!token && !read_token && !is_own_host(request.host)) {
    return admin_error(403, "Host must be an IP address or localhost, unless the token is shown");
  }
  if (token || open) return std::nullopt;
  if (!writes && (read_token || access.door == AdminDoor::loopback)) return std::nullopt;
  if (read_token) {
    return admin_error(403,
                       "the token of read_token_file may look, but not act or look into "
                       "sessions: this takes the one of token_file");
  }
  if (access.token.empty() && (writes || access.read_token.empty())) {
    return admin_error(403,
                       "this needs a token: set token_file in [admin], or listen on a unix socket");
  }
  return admin_error(401, "the token is missing or wrong: Authorization: Bearer TOKEN");
}

}  // namespace

AdminAnswer admin_error(int status, std::string_view text) {
  return {status, "application/json", error_json(text)};
}

AdminAnswer admin_failure(const Outcome& outcome) {
  int status = 409;
  if (outcome.kind == Outcome::Kind::not_found) status = 404;
  if (outcome.kind == Outcome::Kind::unavailable) status = 501;
  if (!outcome.problems.empty()) status = 422;
  return {status, "application/json", error_json(outcome.text, outcome.problems)};
}

std::optional<std::string> decoded_part(std::string_view text) {
  return percent_decoded(text);
}

AdminAnswer answer_admin(Control& control, const AdminAccess& access,
                         const wire::RequestHead& request, std::string_view body) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool health = request.path == "/healthz" || request.path == "/readyz";
  const bool open = reads && (health || find_asset(request.path) != nullptr);
  // Who looks into sessions has to be as trusted as who changes things.
  const bool looks = request.path.ends_with("/tap");
  if (auto refused = refusal(access, request, !reads || looks, open)) return std::move(*refused);
  if (auto answer = answer_drains(control, request, body)) return std::move(*answer);
  return call_endpoint({control, request.query, body}, request.method, request.path);
}

}  // namespace fairlead::observe
