#pragma once
// One table for the whole program: why something ended or was refused, and what follows from it.
// Status codes, close codes, retry and the word in logs come from here and from nowhere else.

#include <cstdint>
#include <string_view>

namespace fairlead::rules {

enum class Cause : std::uint8_t {
  // How an exchange or a session ends well.
  done,            // an HTTP exchange, answered in full
  client_closed,   // the client sent the first Close
  backend_closed,  // the backend did
  // Refused before a backend was dialled.
  malformed_request,
  bad_websocket_key,
  bad_websocket_version,
  origin_denied,
  no_route,
  loop_detected,  // it has been through this process before
  head_timeout,
  body_timeout,
  head_too_large,
  too_many_headers,
  unsupported_transfer_coding,
  unsupported_http_version,
  unsupported_method,  // too long to be one
  handshake_rate,
  too_many_connections_from_ip,
  max_connections,
  draining,
  no_server,
  server_full,  // max_sessions
  redirected,   // redirect_to_https
  // A connection that never got to a request.
  bad_proxy_header,
  untrusted_proxy,
  tls_handshake_failed,
  tls_handshake_timeout,
  client_left,    // the client went away before its answer
  keepalive_end,  // between requests: nothing to tell
  // The backend did not do its part of a handshake or an exchange.
  backend_unreachable,
  backend_bad_answer,
  backend_connect_timeout,
  backend_answer_timeout,
  out_of_file_descriptors,
  out_of_ports,   // none left towards any server that was tried
  out_of_memory,  // the system's, for sockets
  // How a session ends otherwise.
  client_protocol_error,
  client_bad_text,  // a Close reason that is not UTF-8
  client_message_too_big,
  rate_exceeded,
  slow_client,
  client_dead,  // no Pong
  client_gone,  // TCP ended without a Close
  backend_protocol_error,
  backend_bad_text,
  backend_message_too_big,
  slow_backend,
  backend_dead,
  backend_gone,
  not_reattached,   // ... and the session could not go on at another server (on_backend_loss)
  stopping,         // drain at the end of the process
  moved,            // its server, listener or route is drained, or it was rebalanced
  closed_by_admin,  // through the admin endpoint
  idle_timeout,
  max_lifetime,
  forced_stop,  // second signal or the drain deadline
  internal_error,
};

inline constexpr int kCauseCount = static_cast<int>(Cause::internal_error) + 1;

enum class Fault : std::uint8_t { nobody, client, backend, proxy };

// What follows from a cause. 0 in a code: nothing of the kind is sent.
struct Failure {
  Cause cause;
  std::string_view word;       // the log's `reason` and the one word of our own answers
  Fault fault;                 // nobody: a normal end
  bool retryable;              // another server may be tried, as long as nothing was sent
  std::uint16_t status;        // HTTP status of our answer
  bool close_connection;       // after that answer
  std::uint16_t client_code;   // WebSocket close code (RFC 6455 7.4.1) for the client
  std::uint16_t backend_code;  // ... for the backend
  std::string_view text;       // a few words: the Close reason, the body of our answer
};

const Failure& failure(Cause cause);

enum class Party : std::uint8_t { client, backend, proxy };

// Who sent a session's first Close, or vanished first.
Party ended_by(Cause cause);
std::string_view word(Party party);  // "client", "backend", "proxy"

// The close code of a session that ended this way without a Close of the party that ended it: what
// Fairlead itself said, and 0 for a side that vanished. A Close that came has its own code.
std::uint16_t own_close_code(Cause cause);

// Whether a session may end this way: the reasons of fairlead_session_ends_total.
bool ends_session(Cause cause);

// Fairlead ends the session although nothing is wrong with either side.
bool is_graceful(Cause cause);

// The status of a request's log line. `sent`: of the answer whose head was sent to the client,
// which is what the client knows; 0: none was. Then 499 tells that the client was the one who went.
int logged_status(Cause cause, int sent);

// Nothing else came of the request or the connection: Fairlead, or the lack of a good answer,
// turned it away.
bool is_refusal(Cause cause);

}  // namespace fairlead::rules
