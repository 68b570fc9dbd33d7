#include "proxy/demo/answer.h"

#include "proxy/wire/handshake.h"
#include "proxy/wire/head_writer.h"

namespace fairlead::demo {
namespace {

// The page is one file, talks to its own host only, and is in no frame.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace

std::string switching_protocols(const wire::RequestHead& request) {
  std::string out;
  wire::HeadWriter(out)
      .status_line(101, {})
      .field("Upgrade", "websocket")
      .field("Connection", "Upgrade")
      .field("Sec-WebSocket-Accept", wire::accept_key(request.fields.get("Sec-WebSocket-Key")))
      .end();
  return out;
}

std::string refusal(int status) {
  std::string out;
  const std::string body =
      std::to_string(status) + ' ' + std::string(wire::reason_phrase(status)) + '\n';
  wire::HeadWriter head(out);
  head.status_line(status, {});
  if (status == 405) head.field("Allow", "GET, HEAD");
  if (status == 426) {  // RFC 9110 15.5.22, RFC 6455 4.4
    head.field("Upgrade", "websocket").field("Sec-WebSocket-Version", "13");
  }
  head.field("Content-Type", "text/plain; charset=utf-8")
      .field("Content-Length", std::to_string(body.size()))
      .field("Connection", status == 426 ? "Upgrade, close" : "close")
      .end();
  return out += body;
}

int status_of(wire::HeadError error) {
  switch (error) {
    case wire::HeadError::too_large:
    case wire::HeadError::too_many_fields:
      return 431;
    case wire::HeadError::unsupported_version:
      return 505;
    case wire::HeadError::unsupported_transfer_coding:
    case wire::HeadError::unsupported_method:
      return 501;
    case wire::HeadError::none:
    case wire::HeadError::malformed:
      break;
  }
  return 400;
}

std::string page_answer(std::string_view page, bool with_body) {
  std::string out;
  wire::HeadWriter(out)
      .status_line(200, {})
      .field("Content-Type", "text/html; charset=utf-8")
      .field("Content-Length", std::to_string(page.size()))
      .field("Cache-Control", "no-cache")
      .field("Content-Security-Policy", kPolicy)
      .field("X-Content-Type-Options", "nosniff")
      .field("Referrer-Policy", "no-referrer")
      .field("Connection", "close")
      .end();
  if (with_body) out += page;
  return out;
}

}  // namespace fairlead::demo
