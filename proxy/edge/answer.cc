#include "proxy/edge/answer.h"

#include <fmt/format.h>

#include "proxy/observe/json.h"
#include "proxy/wire/head_writer.h"

namespace fairlead::edge {
namespace {

bool wants_json(const wire::RequestHead* request) {
  return request != nullptr &&
         request->fields.get("Accept").find("application/json") != std::string_view::npos;
}

std::string make_body(const OwnAnswer& answer, const rules::Failure& why, bool json) {
  if (!json) {
    return fmt::format("{} {}: {} ({})\n", why.status, wire::reason_phrase(why.status), why.word,
                       why.text);
  }
  std::string body = "{\"error\":";
  observe::append_json_string(why.word, body);
  body += ",\"message\":";
  observe::append_json_string(why.text, body);
  body += ",\"request_id\":";
  observe::append_json_string(answer.request_id, body);
  return body + "}\n";
}

}  // namespace

std::size_t write_answer(const OwnAnswer& answer, std::string& out) {
  const rules::Failure& why = rules::failure(answer.cause);
  bool json = wants_json(answer.request);
  std::string body = make_body(answer, why, json);
  wire::HeadWriter head(out);
  head.status_line(why.status, "");
  head.field("Content-Type", json ? "application/json" : "text/plain; charset=utf-8");
  head.field("Content-Length", std::to_string(body.size()));
  head.field("Cache-Control", "no-store");
  head.field("X-Request-Id", answer.request_id);
  if (why.status == 426) {  // RFC 9110 15.5.22: what to upgrade to; RFC 6455 4.4: which version
    head.field("Upgrade", "websocket").field("Sec-WebSocket-Version", "13");
    head.field("Connection", answer.keep_alive ? "Upgrade" : "Upgrade, close");
  } else {
    head.field("Connection", answer.keep_alive ? "keep-alive" : "close");
  }
  if (why.status == 429 || why.status == 503) {
    auto seconds = std::chrono::ceil<std::chrono::seconds>(answer.retry_after).count();
    head.field("Retry-After", std::to_string(seconds < 1 ? 1 : seconds));
  }
  if (!answer.location.empty()) head.field("Location", answer.location);
  head.end();
  if (answer.request != nullptr && answer.request->method == "HEAD") return 0;
  out += body;
  return body.size();
}

}  // namespace fairlead::edge
