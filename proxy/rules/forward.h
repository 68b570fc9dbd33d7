#pragma once
// What a request looks like to the backend, and an answer to the client: who the client is, which
// fields pass, which are set.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "conf/ip.h"
#include "proxy/rules/trace_context.h"
#include "proxy/rules/trust.h"
#include "proxy/wire/head_parser.h"

namespace fairlead::rules {

// Who and what the request is about, after a trusted peer's fields were read.
struct Client {
  // The right-most address of X-Forwarded-For that is not itself trusted, else the left-most one
  // (all are ours), else the peer's. What is no address ends the search at the last one before it,
  // as does the 33rd entry.
  conf::Ip ip;
  // X-Forwarded-Proto https (or wss) of a trusted peer, the first of a list, which the client's own
  // hop wrote; else the connection's own.
  bool secure = false;
  // X-Forwarded-Host of a trusted peer, the last of a list: proxies that append write there, and
  // what stands before may be the client's. Where there is none, or it is no host: the request's
  // own. A view into the head.
  std::string_view host;
  // X-Forwarded-Port of a trusted peer, the first of a list; 0: none, or it is no port.
  std::uint16_t port = 0;
};

Client find_client(const wire::RequestHead& head, const Peer& peer,
                   const std::vector<conf::Cidr>& trusted);

// A request id a client sent is kept when it is 1 to 128 visible ASCII characters; else "".
std::string_view kept_request_id(const wire::RequestHead& head);
// 32 hexadecimal digits of the two numbers, which nobody can guess.
std::string make_request_id(std::uint64_t high, std::uint64_t low);

struct ForwardRequest {
  const wire::RequestHead& head;
  const Peer& peer;
  const Client& client;
  const conf::Route& route;
  std::string_view request_id;
  bool websocket = false;
  wire::Framing body{};                 // as it was parsed, and as it is to be sent
  const TraceContext* trace = nullptr;  // null: traceparent and tracestate pass as they came
  std::string_view hop = {};            // this process, added to the request's hops; see hops.h
};

// Appends the head the backend gets: Host kept; hop-by-hop fields removed, for a handshake
// `Upgrade: websocket` and `Connection: Upgrade` set anew; a plain request says no more than that
// trailers are welcome, where they are, and its connection stays open;
// X-Forwarded-For appended to where the peer is trusted, replaced where not; X-Forwarded-Proto http
// or https, -Host, -Port, X-Real-IP, X-Request-Id set (-Proto, -Host and -Port from `client`: what
// was understood of a trusted peer's, one value each); what else the peer may not say removed
// (may_say); Sec-WebSocket-* in canonical case;
// strip_prefix applied to the target, which is in origin-form (wire::behind_prefix: what is left
// never begins with two slashes). Content-Length or Transfer-Encoding is written from `body`,
// never both; none for a handshake. A field that differs from one of ours in punctuation only ('_'
// for '-') is removed: many servers take them for equal.
void write_backend_request(const ForwardRequest& request, std::string& out);

struct ForwardResponse {
  const wire::ResponseHead& head;
  std::string_view request_id;
  std::string_view set_cookie;  // the sticky cookie's Set-Cookie value, "" for none
  bool websocket = false;       // a 101 that was checked: Upgrade and Connection set anew
  bool keep_alive = false;      // of the client's connection, for anything but a 101
  // As the body is to be sent. none: there is no body, and a Content-Length (of HEAD and 304)
  // passes as it came.
  wire::Framing body{};
};

// Appends the head the client gets: hop-by-hop fields removed, Connection set anew, X-Request-Id
// set unless the backend set one, Set-Cookie added.
void write_client_response(const ForwardResponse& response, std::string& out);

// Appends an interim answer (1xx other than 101; RFC 9110 15.2): its end-to-end fields.
void write_client_interim(const wire::ResponseHead& head, std::string& out);

}  // namespace fairlead::rules
