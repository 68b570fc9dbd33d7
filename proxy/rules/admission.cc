#include "proxy/rules/admission.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "proxy/rules/hops.h"
#include "proxy/rules/origin.h"
#include "proxy/wire/handshake.h"
#include "proxy/wire/path.h"

namespace fairlead::rules {
namespace {

std::optional<Cause> refuse_handshake(const wire::RequestHead& head) {
  switch (wire::check_handshake(head)) {
    case wire::HandshakeError::bad_version:
      return Cause::bad_websocket_version;
    case wire::HandshakeError::bad_key:
      return Cause::bad_websocket_key;
    case wire::HandshakeError::none:
      break;
  }
  return std::nullopt;
}

// All fields of that name as one list (RFC 9110 5.3).
std::string joined(const wire::Fields& fields, std::string_view name) {
  std::string list;
  for (const auto& field : fields) {
    if (!wire::iequals(field.name, name)) continue;
    if (!list.empty()) list += ", ";
    list += field.value;
  }
  return list;
}

bool check_origin(const wire::RequestHead& head, const Client& client, const conf::Route& route) {
  // What the page's browser has in its address bar: behind a proxy that sends another Host, its
  // X-Forwarded-Host says it.
  const auto host = client.host.empty() ? head.host : client.host;
  OriginQuestion question{std::nullopt, host, client.secure};
  // Two Origin fields say nothing for certain: like one that is no origin.
  if (const auto* field = head.fields.find("Origin")) {
    question.origin = head.fields.count("Origin") == 1 ? field->value : std::string_view{};
  }
  return origin_allowed(route.origins, route.require_origin, question);
}

void check_address(IpLimits& limits, const Client& client, Clock::time_point now,
                   Admission& result) {
  const auto entered = limits.enter(client.ip, now);
  result.counted = entered.counted;
  switch (entered.answer) {
    case IpLimits::Answer::ok:
      break;
    case IpLimits::Answer::rate:
      result.refused = Cause::handshake_rate;
      result.retry_after = std::max(kRetryLimited, entered.retry_after);
      break;
    case IpLimits::Answer::connections:
      result.refused = Cause::too_many_connections_from_ip;
      result.retry_after = std::max(kRetryLimited, entered.retry_after);
      break;
  }
}

}  // namespace

Admission admit(const wire::RequestHead& head, const Client& client, const AdmissionRules& rules,
                bool draining, Clock::time_point now) {
  Admission result;
  result.websocket = wire::is_websocket_handshake(head);
  if (!rules.hop.empty() && is_loop(head.fields, rules.hop)) {
    result.refused = Cause::loop_detected;
    return result;
  }
  if (result.websocket) result.refused = refuse_handshake(head);
  if (result.refused) return result;

  const wire::NormalPath path(head.path);
  if (!path.ok()) {
    result.refused = Cause::malformed_request;
    return result;
  }
  const std::string subprotocols =
      result.websocket ? joined(head.fields, "Sec-WebSocket-Protocol") : std::string();
  result.route = rules.router.find({head.host, path.text(), subprotocols, result.websocket});
  if (result.route == Router::kNone) {
    result.refused = Cause::no_route;
    return result;
  }
  if (draining) {
    result.refused = Cause::draining;
    result.retry_after = kRetryUnavailable;
    return result;
  }
  if (!result.websocket) return result;
  if (!check_origin(head, client, rules.routes[result.route])) {
    result.refused = Cause::origin_denied;
    return result;
  }
  // Last: it counts, and only a session that begins will be counted off again.
  if (IpLimits* const limits = rules.limits[result.route]) {
    check_address(*limits, client, now, result);
  }
  return result;
}

}  // namespace fairlead::rules
