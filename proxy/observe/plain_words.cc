#include "proxy/observe/plain_words.h"

#include <algorithm>
#include <array>

namespace fairlead::observe {
namespace {

using rules::Cause;

struct Words {
  Cause cause;
  std::string_view text;
};

constexpr std::array kWords = {
    Words{Cause::done, "Answered in full"},
    Words{Cause::client_closed, "The client closed it"},
    Words{Cause::backend_closed, "The backend closed it"},
    Words{Cause::malformed_request, "The request was not valid HTTP"},
    Words{Cause::bad_websocket_key, "The handshake's Sec-WebSocket-Key was not valid"},
    Words{Cause::bad_websocket_version, "The client speaks another version of WebSocket"},
    Words{Cause::origin_denied, "A page of an origin that is not in the route's origins tried it"},
    Words{Cause::no_route, "No route is for this host and path"},
    Words{Cause::head_timeout, "The client did not send its request's head in time"},
    Words{Cause::body_timeout, "The client did not send its request's body in time"},
    Words{Cause::head_too_large, "The request's head was too large"},
    Words{Cause::too_many_headers, "The request had too many header fields"},
    Words{Cause::unsupported_transfer_coding, "The request came in a transfer coding but chunked"},
    Words{Cause::unsupported_http_version, "The request was not HTTP/1.1"},
    Words{Cause::handshake_rate, "Too many handshakes from this address"},
    Words{Cause::too_many_connections_from_ip, "Too many connections from this address"},
    Words{Cause::max_connections, "Fairlead has max_connections already"},
    Words{Cause::draining, "Fairlead is about to stop and takes nothing new"},
    Words{Cause::no_server, "No server of the backend is up and ready"},
    Words{Cause::server_full, "Every server of the backend has its max_sessions"},
    Words{Cause::redirected, "Sent to https"},
    Words{Cause::bad_proxy_header, "The connection did not begin with a PROXY header"},
    Words{Cause::untrusted_proxy, "A peer that is not in trusted_proxies sent a PROXY header"},
    Words{Cause::tls_handshake_failed, "The TLS handshake failed"},
    Words{Cause::tls_handshake_timeout, "The TLS handshake took too long"},
    Words{Cause::client_left, "The client went away before it was answered"},
    Words{Cause::keepalive_end, "The connection ended between two requests"},
    Words{Cause::backend_unreachable, "No connection to any server that was tried"},
    Words{Cause::backend_bad_answer, "The server's answer was not valid"},
    Words{Cause::backend_connect_timeout, "The server did not take the connection in time"},
    Words{Cause::backend_answer_timeout, "The server did not answer in time"},
    Words{Cause::out_of_file_descriptors, "Fairlead has no file descriptor left"},
    Words{Cause::client_protocol_error, "The client broke the WebSocket protocol"},
    Words{Cause::client_bad_text, "The client's Close had a reason that is not UTF-8"},
    Words{Cause::client_message_too_big, "The client's message was larger than max_message"},
    Words{Cause::rate_exceeded, "The client sent more than its limits allow"},
    Words{Cause::slow_client, "The client took nothing for the whole of write_stall"},
    Words{Cause::client_dead, "The client answered no Ping"},
    Words{Cause::client_gone, "The client's connection ended without a Close"},
    Words{Cause::backend_protocol_error, "The server broke the WebSocket protocol"},
    Words{Cause::backend_bad_text, "The server's Close had a reason that is not UTF-8"},
    Words{Cause::backend_message_too_big,
          "The server's message was larger than max_message_from_backend"},
    Words{Cause::slow_backend, "The server took nothing for the whole of write_stall"},
    Words{Cause::backend_dead, "The server answered no Ping"},
    Words{Cause::backend_gone, "The server's connection ended without a Close"},
    Words{Cause::stopping, "Fairlead stops"},
    Words{Cause::moved, "Moved: its server, listener or route is drained, or it was rebalanced"},
    Words{Cause::idle_timeout, "No data for the whole of idle_timeout"},
    Words{Cause::max_lifetime, "Open for the whole of max_lifetime"},
    Words{Cause::forced_stop, "Cut off: the drain's deadline came, or a second signal"},
    Words{Cause::internal_error, "An error inside Fairlead; its log says more"},
};

}  // namespace

std::string_view plain_words(Cause cause) {
  const auto* found = std::find_if(kWords.begin(), kWords.end(),
                                   [cause](const Words& one) { return one.cause == cause; });
  return found != kWords.end() ? found->text : rules::failure(cause).text;
}

}  // namespace fairlead::observe
