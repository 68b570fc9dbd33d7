#include "proxy/rules/forward.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "proxy/rules/hops.h"
#include "proxy/wire/framing.h"
#include "proxy/wire/head_writer.h"
#include "proxy/wire/path.h"

namespace fairlead::rules {
namespace {

// Fields a backend believes because we set them, or that frame a body: never passed on from the
// client as they are.
constexpr std::array<std::string_view, 8> kOurs{
    "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port",
    "X-Real-IP",       "X-Request-Id",      "Content-Length",   "Transfer-Encoding"};

// CGI and its heirs (WSGI, Rack, PHP) turn '-' into '_': X_Forwarded_For would reach them as ours.
bool is_ours(std::string_view name) {
  return std::any_of(kOurs.begin(), kOurs.end(),
                     [&](std::string_view ours) { return wire::same_folded(name, ours); });
}

bool is_chunked(const wire::Framing& body) {
  return body.kind == wire::Framing::Kind::chunked;
}

// Where we tell the backend of a trace, nobody else does; a tracestate belongs to its traceparent.
bool is_of_other_trace(const TraceContext& trace, std::string_view name) {
  return wire::iequals(name, "traceparent") ||
         (trace.begun_here() && wire::iequals(name, "tracestate"));
}

bool passes(const ForwardRequest& request, std::string_view name) {
  if (is_ours(name) || !may_say(request.peer, name)) return false;
  if (request.trace != nullptr && is_of_other_trace(*request.trace, name)) return false;
  // An announcement of what follows a chunked body goes with it.
  if (wire::iequals(name, "Trailer")) return is_chunked(request.body);
  // HTTP/1.0 knows no expectations (RFC 9110 10.1.1).
  if (wire::iequals(name, "Expect") && request.head.minor_version == 0) return false;
  return !wire::is_hop_by_hop(request.head.fields, name);
}

// The target in origin-form (RFC 9112 3.2.1), without the route's prefix where the route says so.
std::string target_of(const wire::RequestHead& head, const conf::Route& route) {
  if (head.target == "*") return "*";  // RFC 9112 3.2.4
  std::string target(head.path);
  if (route.strip_prefix && route.path != "/") {
    if (const auto behind = wire::behind_prefix(head.path, route.path)) {
      target = "/";
      target += *behind;
    }
  }
  target += head.query;
  return target;
}

std::string forwarded_for(const ForwardRequest& request) {
  std::string list;
  const auto append = [&list](std::string_view item) {
    if (item.empty()) return;
    if (!list.empty()) list += ", ";
    list += item;
  };
  if (request.peer.trusted) {
    for (const auto& field : request.head.fields) {
      if (wire::iequals(field.name, "X-Forwarded-For")) append(field.value);
    }
  }
  if (!request.peer.unix_socket) append(request.peer.ip.text());
  return list;
}

void write_our_fields(wire::HeadWriter& writer, const ForwardRequest& request) {
  const auto& peer = request.peer;
  const std::string list = forwarded_for(request);
  if (!list.empty()) writer.field("X-Forwarded-For", list);
  writer.field("X-Forwarded-Proto", request.client.secure ? "https" : "http");
  if (!request.client.host.empty()) writer.field("X-Forwarded-Host", request.client.host);
  const unsigned port = request.client.port != 0 ? request.client.port : peer.local_port;
  if (port != 0) writer.field("X-Forwarded-Port", std::to_string(port));
  // Over a unix socket, and with nobody's word for it, the client has no address.
  if (!peer.unix_socket || request.client.ip != peer.ip) {
    writer.field("X-Real-IP", request.client.ip.text());
  }
  if (!request.request_id.empty()) writer.field("X-Request-Id", request.request_id);
  if (!request.hop.empty()) writer.field(kHopsField, next_hops(request.head.fields, request.hop));
  if (request.trace != nullptr) writer.field("traceparent", traceparent_text(request.trace->own));
}

// The body's framing, in one of its two fields (RFC 9112 6). What is delimited by the close has
// none.
void write_framing(wire::HeadWriter& writer, const wire::Framing& body) {
  if (is_chunked(body)) writer.field("Transfer-Encoding", "chunked");
  if (body.kind == wire::Framing::Kind::length)
    writer.field("Content-Length", std::to_string(body.length));
}

// `Connection` names what is for the next hop only (RFC 9110 7.6.1).
void write_connection(wire::HeadWriter& writer, const ForwardRequest& request) {
  if (request.websocket) {
    writer.field("Upgrade", "websocket").field("Connection", "Upgrade");
  } else if (request.head.fields.has_token("TE", "trailers")) {
    writer.field("TE", "trailers").field("Connection", "TE");
  }
}

// A disguise (Content_Length) says nothing to an HTTP client, but does to what believes in CGI's
// names.
bool response_field_passes(const ForwardResponse& response, std::string_view name) {
  if (wire::is_framing_disguise(name)) return false;
  if (wire::iequals(name, "Trailer")) return is_chunked(response.body);
  if (wire::is_hop_by_hop(response.head.fields, name)) return false;
  if (!wire::iequals(name, "Content-Length")) return true;
  // It is written from `body`; what has none may speak of the body a GET would get, but not in a
  // 101 or 204 (RFC 9110 8.6).
  return response.body.kind == wire::Framing::Kind::none && response.head.status >= 200 &&
         response.head.status != 204;
}

}  // namespace

void write_backend_request(const ForwardRequest& request, std::string& out) {
  const auto& head = request.head;
  wire::HeadWriter writer(out);
  writer.request_line(head.method, target_of(head, request.route));
  // HTTP/1.0 knows requests without Host, and HTTP/1.1, which we speak, none (RFC 9112 3.2).
  if (!head.fields.find("Host")) writer.field("Host", head.host);
  for (const auto& field : head.fields) {
    if (wire::iequals(field.name, "Host")) {
      // An absolute-form target outranks the field (RFC 9112 3.2.2).
      writer.field("Host", head.host);
    } else if (passes(request, field.name)) {
      writer.field(wire::canonical_name(field.name), field.value);
    }
  }
  write_connection(writer, request);
  if (!request.websocket) write_framing(writer, request.body);
  write_our_fields(writer, request);
  writer.end();
}

void write_client_response(const ForwardResponse& response, std::string& out) {
  const auto& head = response.head;
  wire::HeadWriter writer(out);
  writer.status_line(head.status, head.reason);
  bool has_request_id = false;
  bool has_length = false;  // a server may have said it twice
  for (const auto& field : head.fields) {
    if (!response_field_passes(response, field.name)) continue;
    if (wire::iequals(field.name, "Content-Length") && std::exchange(has_length, true)) continue;
    writer.field(wire::canonical_name(field.name), field.value);
    has_request_id = has_request_id || wire::iequals(field.name, "X-Request-Id");
  }
  if (response.websocket) {
    writer.field("Upgrade", "websocket").field("Connection", "Upgrade");
  } else {
    write_framing(writer, response.body);
    writer.field("Connection", response.keep_alive ? "keep-alive" : "close");
  }
  if (!has_request_id && !response.request_id.empty()) {
    writer.field("X-Request-Id", response.request_id);
  }
  if (!response.set_cookie.empty()) writer.field("Set-Cookie", response.set_cookie);
  writer.end();
}

void write_client_interim(const wire::ResponseHead& head, std::string& out) {
  wire::HeadWriter writer(out);
  writer.status_line(head.status, head.reason);
  for (const auto& field : head.fields) {
    if (response_field_passes({head, {}, {}}, field.name)) writer.field(field.name, field.value);
  }
  writer.end();
}

}  // namespace fairlead::rules
