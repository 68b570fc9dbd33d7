#include "proxy/observe/access_log.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <span>

#include "proxy/observe/json.h"

namespace fairlead::observe {
namespace {

// `value` in decimal, with leading zeros, over all of the span.
void put_digits(unsigned value, std::span<char> out) {
  for (std::size_t i = out.size(); i-- > 0; value /= 10) {
    out[i] = static_cast<char>('0' + value % 10);
  }
}

// RFC 3339 in UTC with milliseconds; by hand, since there is one in every line.
void append_time(std::chrono::system_clock::time_point now, JsonFields& json) {
  using std::chrono::floor;
  const auto ms = floor<std::chrono::milliseconds>(now);
  const auto days = floor<std::chrono::days>(ms);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(ms - days);
  std::array<char, 26> text{'"', '0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
                            '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z', '"'};
  const std::span<char> digits(text);
  put_digits(static_cast<unsigned>(static_cast<int>(date.year())), digits.subspan(1, 4));
  put_digits(static_cast<unsigned>(date.month()), digits.subspan(6, 2));
  put_digits(static_cast<unsigned>(date.day()), digits.subspan(9, 2));
  put_digits(static_cast<unsigned>(time.hours().count()), digits.subspan(12, 2));
  put_digits(static_cast<unsigned>(time.minutes().count()), digits.subspan(15, 2));
  put_digits(static_cast<unsigned>(time.seconds().count()), digits.subspan(18, 2));
  put_digits(static_cast<unsigned>(time.subseconds().count()), digits.subspan(21, 3));
  json.raw({text.data(), text.size()});
}

void append_request(const Entry& entry, JsonFields& json) {
  json.hex("conn_id", entry.conn_id);
  json.text("request_id", entry.request_id);
  if (entry.client_ip != nullptr) json.text("client_ip", entry.client_ip->text());
  json.text("listener", entry.listener);
  json.text("tls", entry.tls);
  json.text("sni", entry.sni);
  json.text("method", entry.method);
  json.text("host", entry.host);
  json.text("path", entry.path);
  json.text("route", entry.route);
  json.text("backend", entry.backend);
  json.text("server", entry.server);
  if (entry.status != 0) json.number("status", static_cast<std::uint64_t>(entry.status));
  json.text("origin", entry.origin);
  json.text("subprotocol", entry.subprotocol);
  json.text("extensions", entry.extensions);
  json.millis("handshake_ms", entry.handshake_ms);
}

void append_outcome(const Entry& entry, JsonFields& json) {
  json.millis("duration_ms", entry.duration_ms);
  if (entry.traffic) {
    json.number("msgs_in", entry.traffic->msgs_in);
    json.number("msgs_out", entry.traffic->msgs_out);
    json.number("bytes_in", entry.traffic->bytes_in);
    json.number("bytes_out", entry.traffic->bytes_out);
  }
  if (entry.bytes_in) json.number("bytes_in", *entry.bytes_in);
  if (entry.bytes_out) json.number("bytes_out", *entry.bytes_out);
  if (entry.pings) json.number("pings", *entry.pings);
  json.millis("rtt_ms", entry.rtt_ms);
  if (entry.reattached != 0) json.number("reattached", entry.reattached);
  if (entry.close_code != 0)
    json.number("close_code", static_cast<std::uint64_t>(entry.close_code));
  else if (entry.event == "close")
    json.raw(R"(,"close_code":null)");
  json.text("close_reason", entry.close_reason);
  json.text("closed_by", entry.closed_by);
  json.text("reason", entry.reason);
  json.text("detail", entry.detail);
}

}  // namespace

void append_line(const Entry& entry, std::chrono::system_clock::time_point now, std::string& out) {
  JsonFields json(out);
  json.raw(R"({"ts":)");
  append_time(now, json);
  json.text("event", entry.event);
  append_request(entry, json);
  append_outcome(entry, json);
  json.raw("}\n");
}

void append_session(const Entry& entry, const LiveSession& live, std::string& out) {
  JsonFields json(out);
  json.raw(R"({"opened":)");
  append_time(live.opened, json);
  append_request(entry, json);
  append_outcome(entry, json);
  json.millis("idle_ms", live.idle_ms);
  json.number("buffered_bytes", live.buffered_bytes);
  json.millis("msgs_per_s", live.msgs_per_s);
  json.millis("bytes_per_s", live.bytes_per_s);
  json.raw(live.ending ? R"(,"ending":true})" : R"(,"ending":false})");
}

void AccessLog::write(const Entry& entry) {
  if (!logger_) return;
  append_line(entry, std::chrono::system_clock::now(), lines_);
  if (lines_.size() >= kBatch) flush();
}

void AccessLog::flush() {
  if (lines_.empty()) return;
  lines_.pop_back();  // the logger ends what it is given with a newline
  logger_->log(spdlog::level::info, spdlog::string_view_t(lines_.data(), lines_.size()));
  lines_.clear();
}

}  // namespace fairlead::observe
