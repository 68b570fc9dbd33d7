#include "proxy/observe/span.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "proxy/observe/json.h"
#include "proxy/rules/authority.h"

namespace fairlead::observe {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kTextBytes = 1024;
constexpr int kServerKind = 2;  // opentelemetry/proto/trace/v1: SPAN_KIND_SERVER
constexpr int kErrorStatus = 2;
constexpr int kClientLeft = 499;  // the log's word for an answer that was not sent

// At a character's beginning.
std::string_view cut(std::string_view text) {
  if (text.size() <= kTextBytes) return text;
  std::size_t end = kTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

// An "attributes" member; a 64-bit number is a string in protobuf's JSON.
class Attributes {
 public:
  explicit Attributes(std::string& out) : out_(out) { out_ += R"("attributes":[)"; }

  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  ~Attributes() { out_ += ']'; }

  // Left out when it is empty.
  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    begin(key, "stringValue");
    append_json_string(cut(value), out_);
    out_ += "}}";
  }

  void number(std::string_view key, std::uint64_t value) {
    begin(key, "intValue");
    fmt::format_to(std::back_inserter(out_), "\"{}\"}}}}", value);
  }

  void real(std::string_view key, double value) {
    begin(key, "doubleValue");
    fmt::format_to(std::back_inserter(out_), "{:.3f}}}}}", value);
  }

 private:
  void begin(std::string_view key, std::string_view type) {
    fmt::format_to(std::back_inserter(out_), R"({}{{"key":"{}","value":{{"{}":)", first_ ? "" : ",",
                   key, type);
    first_ = false;
  }

  std::string& out_;
  bool first_ = true;
};

bool is_known_method(std::string_view method) {
  constexpr std::array<std::string_view, 9> kKnown{"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                   "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  return std::find(kKnown.begin(), kKnown.end(), method) != kKnown.end();
}

std::uint64_t unix_nanos(const Span& span, Span::TimePoint at) {
  const auto time = span.began.time_since_epoch() + (at - span.start);
  return static_cast<std::uint64_t>(std::chrono::duration_cast<nanoseconds>(time).count());
}

// General, HTTP server: stable since semantic conventions 1.23.
void append_request(const Span& span, const Entry& line, Attributes& to) {
  const bool known = is_known_method(span.method);
  const bool session = line.event == "close";
  to.text("http.request.method", known ? std::string_view(span.method) : "_OTHER");
  if (!known) to.text("http.request.method_original", span.method);
  to.text("url.scheme", span.secure ? "https" : "http");
  to.text("url.path", line.path);
  const auto authority = rules::parse_authority(line.host);
  to.text("server.address", authority ? std::string_view(authority->host) : line.host);
  if (authority && authority->port != 0) to.number("server.port", authority->port);
  if (line.client_ip != nullptr) to.text("client.address", line.client_ip->text());
  to.text("network.protocol.name", session ? "websocket" : "http");
  if (!session) to.text("network.protocol.version", span.minor_version == 0 ? "1.0" : "1.1");
  if (line.status != 0 && line.status != kClientLeft)
    to.number("http.response.status_code", static_cast<std::uint64_t>(line.status));
  if (line.tls.starts_with("TLSv")) {
    to.text("tls.protocol.name", "tls");
    to.text("tls.protocol.version", line.tls.substr(4));
  }
}

void append_own(const Entry& line, Attributes& to) {
  to.text("fairlead.connection", fmt::format("{:016x}", line.conn_id));
  to.text("fairlead.request_id", line.request_id);
  to.text("fairlead.listener", line.listener);
  to.text("fairlead.route", line.route);
  to.text("fairlead.backend", line.backend);
  to.text("fairlead.server", line.server);
  to.text("fairlead.origin", line.origin);
  to.text("fairlead.subprotocol", line.subprotocol);
  to.text("fairlead.reason", line.reason);
  if (line.bytes_in) to.number("fairlead.bytes.in", *line.bytes_in);
  if (line.bytes_out) to.number("fairlead.bytes.out", *line.bytes_out);
  if (line.traffic) {
    to.number("fairlead.messages.in", line.traffic->msgs_in);
    to.number("fairlead.messages.out", line.traffic->msgs_out);
    to.number("fairlead.bytes.in", line.traffic->bytes_in);
    to.number("fairlead.bytes.out", line.traffic->bytes_out);
  }
  if (line.pings) to.number("fairlead.pings", *line.pings);
  if (line.rtt_ms) to.real("fairlead.rtt_ms", *line.rtt_ms);
}

void append_close(const Entry& line, Attributes& to) {
  if (line.close_code != 0)
    to.number("fairlead.close.code", static_cast<std::uint64_t>(line.close_code));
  to.text("fairlead.close.by", line.closed_by);
  to.text("fairlead.close.reason", line.close_reason);
}

void begin_event(const Span& span, std::string_view name, Span::TimePoint at, std::string& out) {
  fmt::format_to(std::back_inserter(out), R"({}{{"name":"{}","timeUnixNano":"{}",)",
                 out.back() == '[' ? "" : ",", name, unix_nanos(span, at));
}

void append_events(const Span& span, const Entry& line, Span::TimePoint end, std::string& out) {
  out += R"("events":[)";
  if (span.connected != Span::TimePoint{}) {
    begin_event(span, "connect", span.connected, out);
    Attributes(out).text("fairlead.server", line.server);
    out += '}';
  }
  if (span.switched != Span::TimePoint{}) {
    begin_event(span, "handshake", span.switched, out);
    Attributes(out).text("fairlead.subprotocol", line.subprotocol);
    out += '}';
  }
  if (line.event == "close") {
    begin_event(span, "close", end, out);
    {
      Attributes about(out);
      append_close(line, about);
      about.text("fairlead.reason", line.reason);
    }
    out += '}';
  }
  out += ']';
}

void append_ids(const Span& span, std::string& out) {
  const rules::TraceContext& context = span.context;
  fmt::format_to(std::back_inserter(out), R"({{"traceId":"{}","spanId":"{}",)",
                 rules::hex_text(context.own.trace), rules::hex_text(context.own.span));
  if (context.begun_here()) return;
  fmt::format_to(std::back_inserter(out), R"("parentSpanId":"{}",)",
                 rules::hex_text(context.parent));
  if (span.state.empty()) return;
  out += R"("traceState":)";
  append_json_string(span.state, out);
  out += ',';
}

}  // namespace

void append_span(const Span& span, const Entry& line, bool failed, Span::TimePoint end,
                 std::string& out) {
  append_ids(span, out);
  // Few different ones, as spans' names have to be: the method and the route.
  std::string name = is_known_method(span.method) ? span.method : "HTTP";
  if (!line.route.empty()) name.append(" ").append(line.route);
  out += R"("name":)";
  append_json_string(name, out);
  fmt::format_to(std::back_inserter(out),
                 R"(,"kind":{},"startTimeUnixNano":"{}","endTimeUnixNano":"{}",)", kServerKind,
                 unix_nanos(span, span.start), unix_nanos(span, std::max(span.start, end)));
  {
    Attributes about(out);
    append_request(span, line, about);
    if (failed) about.text("error.type", line.reason);
    append_own(line, about);
    append_close(line, about);
  }
  out += ',';
  append_events(span, line, end, out);
  if (failed) {
    fmt::format_to(std::back_inserter(out), R"(,"status":{{"code":{},"message":"{}"}})",
                   kErrorStatus, line.reason);
  }
  out += '}';
}

std::string spans_begin(const SpanSource& source) {
  std::string out = R"({"resourceSpans":[{"resource":{)";
  {
    Attributes about(out);
    about.text("service.name", source.service_name);
    about.text("service.version", source.version);
    about.text("host.name", source.host);
    about.number("process.pid", source.pid);
  }
  out += R"(},"scopeSpans":[{"scope":{"name":"fairlead","version":)";
  append_json_string(source.version, out);
  out += R"(},"spans":[)";
  return out;
}

}  // namespace fairlead::observe
