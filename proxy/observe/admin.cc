#include "proxy/observe/admin.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "conf/ip.h"
#include "proxy/observe/admin_json.h"
#include "proxy/observe/metrics.h"
#include "proxy/observe/tap.h"
#include "proxy/rules/authority.h"
#include "tls/digest.h"

namespace fairlead::observe {
namespace {

constexpr std::string_view kContents = R"(Fairlead's admin endpoint.

GET  /healthz            200 while the process lives
GET  /readyz             503 while it drains
GET  /metrics            for Prometheus
GET  /api/status
GET  /api/backends
GET  /api/sessions/ID/tap?bytes=N         its frames as they come, as events; as a write is
POST /api/reload
POST /api/drain          ends the process as TERM does
POST /api/backends/NAME/servers/ADDRESS   {"state":"ready|drain|down","weight":N}
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

AdminAnswer failed(const Outcome& outcome) {
  int status = 409;
  if (outcome.kind == Outcome::Kind::not_found) status = 404;
  if (outcome.kind == Outcome::Kind::unavailable) status = 501;
  if (!outcome.problems.empty()) status = 422;
  return {status, "application/json", error_json(outcome.text, outcome.problems)};
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
          metrics_text(call.control.status(), call.control.backends())};
}

AdminAnswer get_status(const Call& call) {
  return json(status_json(call.control.status()));
}

AdminAnswer get_backends(const Call& call) {
  return json(backends_json(call.control.backends()));
}

AdminAnswer reload(const Call& call) {
  const Outcome outcome = call.control.reload();
  return outcome.kind == Outcome::Kind::done ? json("{\"ok\":true}\n") : failed(outcome);
}

AdminAnswer drain(const Call& call) {
  const Outcome outcome = call.control.drain();
  return outcome.kind == Outcome::Kind::done ? json("{\"draining\":true}\n") : failed(outcome);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Percent-decoded; nothing where a "%" is no code.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

AdminAnswer set_server(const Call& call) {
  const auto backend = decoded(call.names[0]);
  const auto server = decoded(call.names[1]);
  if (!backend || !server) return admin_error(400, "bad percent-encoding in the path");
  std::string error;
  const auto change = parse_change(call.body, error);
  if (!change) return admin_error(400, error);
  const Outcome outcome = call.control.set_server(*backend, *server, *change);
  if (outcome.kind != Outcome::Kind::done) return failed(outcome);
  for (const BackendStatus& one : call.control.backends()) {
    for (const ServerStatus& status : one.servers) {
      if (one.name == *backend && status.address == *server)
        return json(server_json(status) + "\n");
    }
  }
  return json("{}\n");
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
  TapRequest request;
  const std::string_view id = call.names[0];
  const char* end = id.data() + id.size();
  const auto [rest, error] = std::from_chars(id.data(), end, request.conn_id, 16);
  if (error != std::errc() || rest != end) return admin_error(404, "there is no such session");
  const auto bytes = query_number(call.query, "bytes", 0);
  if (!bytes || *bytes > kTapBytes) return admin_error(400, "bytes has to be 0 to 256");
  request.bytes = *bytes;
  AdminAnswer answer;
  answer.later = [&control = call.control, request](AdminReply reply) {
    control.tap(request, [reply](const Outcome& outcome, auto start) {
      if (outcome.kind != Outcome::Kind::done) return reply(failed(outcome));
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
    Endpoint{"GET", "/", contents},
    Endpoint{"GET", "/healthz", healthz},
    Endpoint{"GET", "/readyz", readyz},
    Endpoint{"GET", "/metrics", metrics},
    Endpoint{"GET", "/api/status", get_status},
    Endpoint{"GET", "/api/backends", get_backends},
    Endpoint{"GET", "/api/sessions/*/tap", tap},
    Endpoint{"POST", "/api/backends/*/servers/*", set_server},
    Endpoint{"POST", "/api/reload", reload},
    Endpoint{"POST", "/api/drain", drain},
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

AdminAnswer call_endpoint(Call call, std::string_view method, std::string_view path) {
  if (method == "HEAD") method = "GET";
  std::string allow;
  for (const Endpoint& endpoint : kEndpoints) {
    if (!matches(endpoint.path, path, call.names)) continue;
    if (endpoint.method == method) return endpoint.answer(call);
    if (!allow.empty()) allow += ", ";
    allow.append(endpoint.method == "GET" ? "GET, HEAD" : endpoint.method);
  }
  if (allow.empty()) return admin_error(404, "there is no such path");
  AdminAnswer answer = admin_error(405, "this path takes another method: see Allow");
  answer.allow = std::move(allow);
  return answer;
}

bool shows_token(const AdminAccess& access, const wire::RequestHead& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view given = request.fields.get("Authorization");
  if (access.token.empty() || request.fields.count("Authorization") != 1) return false;
  if (!wire::iequals(given.substr(0, kScheme.size()), kScheme)) return false;
  return tls::equal_constant_time(wire::trim(given.substr(kScheme.size())), access.token);
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

// What stands against it; nothing: it may.
std::optional<AdminAnswer> refusal(const AdminAccess& access, const wire::RequestHead& request,
                                   bool writes, bool health) {
  const bool token = shows_token(access, request);
  if (!is_own_origin(request)) return admin_error(403, "foreign Origin");
  if (access.door == AdminDoor::unix_socket) return std::nullopt;
  if (!token && !is_own_host(request.host)) {
    return admin_error(403, "Host must be an IP address or localhost, unless the token is shown");
  }
  if (token || health) return std::nullopt;
  if (!writes && access.door == AdminDoor::loopback) return std::nullopt;
  if (access.token.empty()) {
    return admin_error(403,
                       "this needs a token: set token_file in [admin], or listen on a unix socket");
  }
  return admin_error(401, "the token is missing or wrong: Authorization: Bearer TOKEN");
}

}  // namespace

AdminAnswer admin_error(int status, std::string_view text) {
  return {status, "application/json", error_json(text)};
}

AdminAnswer answer_admin(Control& control, const AdminAccess& access,
                         const wire::RequestHead& request, std::string_view body) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool health = reads && (request.path == "/healthz" || request.path == "/readyz");
  // Who looks into sessions has to be as trusted as who changes things.
  const bool looks = request.path.ends_with("/tap");
  if (auto refused = refusal(access, request, !reads || looks, health)) return std::move(*refused);
  return call_endpoint({control, request.query, body}, request.method, request.path);
}

}  // namespace fairlead::observe
