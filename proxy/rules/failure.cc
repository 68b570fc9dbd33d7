#include "proxy/rules/failure.h"

#include <array>
#include <cstddef>

namespace fairlead::rules {
namespace {

using enum Fault;

// clang-format off
constexpr std::array<Failure, static_cast<std::size_t>(kCauseCount)> kTable{{
  // cause                              word                           fault    retry  http  close  client backend text
  {Cause::done,                         "done",                        nobody,  false, 0,    false, 0,    0,    ""},
  {Cause::client_closed,                "client_closed",               nobody,  false, 0,    false, 0,    0,    ""},
  {Cause::backend_closed,               "backend_closed",              nobody,  false, 0,    false, 0,    0,    ""},
  {Cause::malformed_request,            "malformed_request",           client,  false, 400,  true,  0,    0,    "malformed request"},
  {Cause::bad_websocket_key,            "bad_websocket_key",           client,  false, 400,  true,  0,    0,    "Sec-WebSocket-Key must be 16 bytes of base64, once"},
  {Cause::bad_websocket_version,        "bad_websocket_version",       client,  false, 426,  false, 0,    0,    "WebSocket version 13 is needed"},
  {Cause::origin_denied,                "origin_denied",               client,  false, 403,  false, 0,    0,    "this origin may not connect"},
  {Cause::no_route,                     "no_route",                    client,  false, 404,  false, 0,    0,    "nothing is served here"},
  {Cause::loop_detected,                "loop_detected",               proxy,   false, 508,  false, 0,    0,    "the request has been here before: a server leads back to Fairlead"},
  {Cause::head_timeout,                 "head_timeout",                client,  false, 408,  true,  0,    0,    "the request took too long to arrive"},
  {Cause::body_timeout,                 "body_timeout",                client,  false, 408,  true,  0,    0,    "the request's body took too long to arrive"},
  {Cause::head_too_large,               "head_too_large",              client,  false, 431,  true,  0,    0,    "the request head is too large"},
  {Cause::too_many_headers,             "too_many_headers",            client,  false, 431,  true,  0,    0,    "too many header fields"},
  {Cause::unsupported_transfer_coding,  "unsupported_transfer_coding", client,  false, 501,  true,  0,    0,    "only the chunked transfer coding is understood"},
  {Cause::unsupported_http_version,     "unsupported_http_version",    client,  false, 505,  true,  0,    0,    "HTTP/1.1 is needed"},
  {Cause::unsupported_method,           "unsupported_method",          client,  false, 501,  true,  0,    0,    "no method has so long a name"},
  {Cause::handshake_rate,               "handshake_rate",              client,  false, 429,  false, 0,    0,    "too many handshakes from your address"},
  {Cause::too_many_connections_from_ip, "too_many_connections",        client,  false, 429,  false, 0,    0,    "too many connections from your address"},
  {Cause::max_connections,              "max_connections",             proxy,   false, 503,  true,  0,    0,    "too many connections"},
  {Cause::draining,                     "draining",                    proxy,   false, 503,  true,  0,    0,    "this server is stopping"},
  {Cause::no_server,                    "no_server",                   backend, false, 503,  false, 0,    0,    "no server is available"},
  {Cause::server_full,                  "server_full",                 backend, false, 503,  false, 0,    0,    "every server has its most sessions"},
  {Cause::redirected,                   "redirected",                  nobody,  false, 308,  false, 0,    0,    "use https"},
  {Cause::bad_proxy_header,             "bad_proxy_header",            client,  false, 0,    true,  0,    0,    "no valid PROXY header"},
  {Cause::untrusted_proxy,              "untrusted_proxy",             client,  false, 0,    true,  0,    0,    "the peer is not in trusted_proxies"},
  {Cause::tls_handshake_failed,         "tls_handshake_failed",        client,  false, 0,    true,  0,    0,    "TLS handshake failed"},
  {Cause::tls_handshake_timeout,        "tls_handshake_timeout",       client,  false, 0,    true,  0,    0,    "TLS handshake took too long"},
  {Cause::client_left,                  "client_left",                 client,  false, 499,  true,  0,    0,    "the client went away"},
  {Cause::keepalive_end,                "keepalive_end",               nobody,  false, 0,    true,  0,    0,    ""},
  {Cause::backend_unreachable,          "backend_unreachable",         backend, true,  502,  false, 0,    0,    "the server could not be reached"},
  {Cause::backend_bad_answer,           "backend_bad_answer",          backend, false, 502,  false, 0,    0,    "the server's answer was not valid"},
  {Cause::backend_connect_timeout,      "backend_connect_timeout",     backend, true,  504,  false, 0,    0,    "the server did not answer in time"},
  {Cause::backend_answer_timeout,       "backend_answer_timeout",      backend, false, 504,  false, 0,    0,    "the server did not answer in time"},
  {Cause::out_of_file_descriptors,      "out_of_file_descriptors",     proxy,   false, 503,  false, 0,    0,    "out of file descriptors"},
  {Cause::out_of_ports,                 "out_of_ports",                proxy,   true,  503,  false, 0,    0,    "out of ports towards the server"},
  {Cause::out_of_memory,                "out_of_memory",               proxy,   false, 503,  false, 0,    0,    "out of memory for sockets"},
  {Cause::client_protocol_error,        "client_protocol_error",       client,  false, 0,    true,  1002, 1001, "protocol error"},
  {Cause::client_bad_text,              "client_bad_text",             client,  false, 0,    true,  1007, 1001, "not UTF-8"},
  {Cause::client_message_too_big,       "client_message_too_big",      client,  false, 0,    true,  1009, 1009, "message too big"},
  {Cause::rate_exceeded,                "rate_exceeded",               client,  false, 0,    true,  1008, 1001, "rate exceeded"},
  {Cause::slow_client,                  "slow_client",                 client,  false, 0,    true,  1008, 1001, "too slow"},
  {Cause::client_dead,                  "client_dead",                 client,  false, 0,    true,  0,    1001, "client is gone"},
  {Cause::client_gone,                  "client_gone",                 client,  false, 0,    true,  0,    1001, "client is gone"},
  {Cause::backend_protocol_error,       "backend_protocol_error",      backend, false, 0,    true,  1011, 1002, "backend protocol error"},
  {Cause::backend_bad_text,             "backend_bad_text",            backend, false, 0,    true,  1011, 1007, "backend protocol error"},
  {Cause::backend_message_too_big,      "backend_message_too_big",     backend, false, 0,    true,  1009, 1009, "message too big"},
  {Cause::slow_backend,                 "slow_backend",                backend, false, 0,    true,  1011, 0,    "backend lost"},
  {Cause::backend_dead,                 "backend_dead",                backend, false, 0,    true,  1011, 0,    "backend lost"},
  {Cause::backend_gone,                 "backend_gone",                backend, false, 0,    true,  1011, 0,    "backend lost"},
  {Cause::not_reattached,               "not_reattached",              backend, false, 0,    true,  1012, 0,    "backend lost: connect again"},
  {Cause::stopping,                     "stopping",                    proxy,   false, 503,  true,  1001, 1001, "server is stopping"},
  {Cause::moved,                        "moved",                       proxy,   false, 503,  true,  1012, 1001, "moved: connect again"},
  {Cause::closed_by_admin,              "admin_closed",                proxy,   false, 503,  true,  1001, 1001, "closed by an operator"},
  {Cause::idle_timeout,                 "idle_timeout",                nobody,  false, 0,    true,  1001, 1001, "idle for too long"},
  {Cause::max_lifetime,                 "max_lifetime",                nobody,  false, 0,    true,  1001, 1001, "open for too long"},
  {Cause::forced_stop,                  "forced_stop",                 proxy,   false, 503,  true,  0,    0,    "server was stopped"},
  {Cause::internal_error,               "internal_error",              proxy,   false, 500,  true,  1011, 1011, "internal error"},
}};

// clang-format on

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].cause) != i) return false;
  }
  return true;
}

static_assert(in_order(), "a row per Cause, in the enum's order");

}  // namespace

const Failure& failure(Cause cause) {
  return kTable[static_cast<std::size_t>(cause)];
}

Party ended_by(Cause cause) {
  const bool client =
      cause == Cause::client_closed || cause == Cause::client_gone || cause == Cause::client_dead;
  const bool backend = cause == Cause::backend_closed || cause == Cause::backend_gone ||
                       cause == Cause::backend_dead || cause == Cause::not_reattached;
  return client ? Party::client : backend ? Party::backend : Party::proxy;
}

std::string_view word(Party party) {
  switch (party) {
    case Party::client:
      return "client";
    case Party::backend:
      return "backend";
    case Party::proxy:
      break;
  }
  return "proxy";
}

std::uint16_t own_close_code(Cause cause) {
  return ended_by(cause) == Party::proxy ? failure(cause).client_code : std::uint16_t{0};
}

bool ends_session(Cause cause) {
  return cause == Cause::client_closed || cause == Cause::backend_closed ||
         cause >= Cause::client_protocol_error;
}

bool is_graceful(Cause cause) {
  return cause == Cause::stopping || cause == Cause::moved || cause == Cause::closed_by_admin ||
         cause == Cause::idle_timeout || cause == Cause::max_lifetime;
}

int logged_status(Cause cause, int sent) {
  if (sent != 0) return sent;
  const bool gone = cause == Cause::client_left || cause == Cause::slow_client;
  return gone ? failure(Cause::client_left).status : 0;
}

bool is_refusal(Cause cause) {
  const bool early = cause >= Cause::malformed_request && cause <= Cause::tls_handshake_timeout;
  const bool late = cause >= Cause::backend_unreachable && cause <= Cause::out_of_memory;
  return (early && cause != Cause::redirected) || late;
}

}  // namespace fairlead::rules
