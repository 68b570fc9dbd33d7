#include "proxy/observe/plain_words.h"

#include <algorithm>
#include <array>

namespace fairlead::observe {
namespace {

struct Words {
  std::string_view word;  // of failure.h
  std::string_view text;
};

constexpr std::array kWords = {
    Words{"done", "Answered in full"},
    Words{"client_closed", "The client closed it"},
    Words{"backend_closed", "The backend closed it"},
    Words{"malformed_request", "The request was not valid HTTP"},
    Words{"bad_websocket_key", "The handshake's Sec-WebSocket-Key was not valid"},
    Words{"bad_websocket_version", "The client speaks another version of WebSocket"},
    Words{"origin_denied", "A page of an origin that is not in the route's origins tried it"},
    Words{"no_route", "No route is for this host and path"},
    Words{"loop_detected",
          "The request had been here before: a server of a backend leads back to Fairlead"},
    Words{"head_timeout", "The client did not send its request's head in time"},
    Words{"body_timeout", "The client did not send its request's body in time"},
    Words{"head_too_large", "The request's head was too large"},
    Words{"too_many_headers", "The request had too many header fields"},
    Words{"unsupported_transfer_coding", "The request came in a transfer coding but chunked"},
    Words{"unsupported_http_version", "The request was not HTTP/1.1"},
    Words{"unsupported_method", "The request's method was longer than any there is"},
    Words{"handshake_rate", "Too many handshakes from this address"},
    Words{"too_many_connections", "Too many connections from this address"},
    Words{"max_connections", "Fairlead has max_connections already"},
    Words{"draining", "Fairlead is about to stop and takes nothing new"},
    Words{"no_server", "No server of the backend is up and ready"},
    Words{"server_full", "Every server of the backend has its max_sessions"},
    Words{"redirected", "Sent to https"},
    Words{"bad_proxy_header", "The connection did not begin with a PROXY header"},
    Words{"untrusted_proxy", "A peer that is not in trusted_proxies sent a PROXY header"},
    Words{"tls_handshake_failed", "The TLS handshake failed"},
    Words{"tls_handshake_timeout", "The TLS handshake took too long"},
    Words{"client_left", "The client went away before it was answered"},
    Words{"keepalive_end", "The connection ended between two requests"},
    Words{"backend_unreachable", "No connection to any server that was tried"},
    Words{"backend_bad_answer", "The server's answer was not valid"},
    Words{"backend_connect_timeout", "The server did not take the connection in time"},
    Words{"backend_answer_timeout", "The server did not answer in time"},
    Words{"out_of_file_descriptors", "Fairlead has no file descriptor left"},
    Words{"out_of_ports", "No local port is left towards any server that was tried"},
    Words{"out_of_memory", "The system has no memory left for sockets"},
    Words{"client_protocol_error", "The client broke the WebSocket protocol"},
    Words{"client_bad_text", "The client's Close had a reason that is not UTF-8"},
    Words{"client_message_too_big", "The client's message was larger than max_message"},
    Words{"rate_exceeded", "The client sent more than its limits allow"},
    Words{"slow_client", "The client took nothing for the whole of write_stall"},
    Words{"client_dead", "The client answered no Ping"},
    Words{"client_gone", "The client's connection ended without a Close"},
    Words{"backend_protocol_error", "The server broke the WebSocket protocol"},
    Words{"backend_bad_text", "The server's Close had a reason that is not UTF-8"},
    Words{"backend_message_too_big",
          "The server's message was larger than max_message_from_backend"},
    Words{"slow_backend", "The server took nothing for the whole of write_stall"},
    Words{"backend_dead", "The server answered no Ping"},
    Words{"backend_gone", "The server's connection ended without a Close"},
    Words{"stopping", "Fairlead stops"},
    Words{"admin_closed", "An operator closed it"},
    Words{"not_reattached", "Its server was lost, and it could not go on at another"},
    Words{"moved", "Moved: its server, listener or route is drained, or it was rebalanced"},
    Words{"idle_timeout", "No data for the whole of idle_timeout"},
    Words{"max_lifetime", "Open for the whole of max_lifetime"},
    Words{"forced_stop", "Cut off: the drain's deadline came, or a second signal"},
    Words{"internal_error", "An error inside Fairlead; its log says more"},
};

}  // namespace

std::string_view plain_words(rules::Cause cause) {
  const rules::Failure& why = rules::failure(cause);
  const auto* found = std::find_if(kWords.begin(), kWords.end(),
                                   [&](const Words& one) { return one.word == why.word; });
  return found != kWords.end() ? found->text : why.text;
}

}  // namespace fairlead::observe
