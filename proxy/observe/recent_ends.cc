#include "proxy/observe/recent_ends.h"

#include <algorithm>

#include "proxy/observe/json.h"
#include "proxy/observe/plain_words.h"

namespace fairlead::observe {
namespace {

using rules::Cause;

void keep(std::string_view text, std::string& in) {
  in.assign(text.substr(0, End::kTextBytes));
}

std::string_view closed_by(const End& end) {
  const rules::Fault fault = rules::failure(end.cause).fault;
  if (end.cause == Cause::client_closed || fault == rules::Fault::client) return "client";
  if (end.cause == Cause::backend_closed || fault == rules::Fault::backend) return "backend";
  return "proxy";
}

void append_end(const End& end, std::string& out) {
  JsonFields json(out);
  json.raw(end.session ? R"({"event":"close")" : R"({"event":"http")");
  json.number("at", static_cast<std::uint64_t>(end.at_ms));
  json.hex("conn_id", end.conn_id);
  if (end.has_ip) json.text("client_ip", end.client_ip.text());
  json.text("route", end.route);
  json.text("server", end.server);
  json.text("path", end.path);
  json.text("origin", end.origin);
  if (end.status != 0) json.number("status", static_cast<std::uint64_t>(end.status));
  if (end.close_code != 0) json.number("close_code", static_cast<std::uint64_t>(end.close_code));
  json.text("close_reason", end.close_reason);
  json.millis("duration_ms", end.duration_ms);
  json.text("fault", closed_by(end));
  json.text("reason", rules::failure(end.cause).word);
  json.text("text", plain_words(end.cause));
  json.raw(is_usual(end.cause) ? R"(,"usual":true})" : R"(,"usual":false})");
}

}  // namespace

bool is_usual(Cause cause) {
  return rules::failure(cause).fault == rules::Fault::nobody || cause == Cause::client_gone ||
         cause == Cause::client_left || cause == Cause::moved || cause == Cause::stopping;
}

bool RecentEnds::wants(Cause cause) {
  return cause != Cause::done && cause != Cause::redirected && cause != Cause::keepalive_end;
}

void RecentEnds::add(Cause cause, const Entry& entry, std::int64_t at_ms) {
  Ring& ring = is_usual(cause) ? usual_ : others_;
  End& end = ring.ends[ring.next];
  ring.next = (ring.next + 1) % kEach;
  end.number = ++last_;
  end.at_ms = at_ms;
  end.cause = cause;
  end.session = entry.event == "close";
  end.conn_id = entry.conn_id;
  end.has_ip = entry.client_ip != nullptr;
  if (end.has_ip) end.client_ip = *entry.client_ip;
  keep(entry.route, end.route);
  keep(entry.server, end.server);
  keep(entry.path, end.path);
  keep(entry.origin, end.origin);
  end.status = entry.status;
  end.close_code = entry.close_code;
  keep(entry.close_reason, end.close_reason);
  end.duration_ms = entry.duration_ms.value_or(0);
}

std::vector<End> RecentEnds::since(std::uint64_t number) const {
  std::vector<End> found;
  for (const Ring* ring : {&usual_, &others_}) {
    for (const End& end : ring->ends) {
      if (end.number > number) found.push_back(end);
    }
  }
  std::sort(found.begin(), found.end(),
            [](const End& a, const End& b) { return a.number < b.number; });
  return found;
}

std::string ends_json(const std::vector<End>& ends) {
  std::string out = "[";
  for (const End& end : ends) {
    if (out.size() > 1) out += ',';
    append_end(end, out);
  }
  return out + "]";
}

}  // namespace fairlead::observe
