#include "conf/schema.h"

#include <algorithm>

namespace fairlead::conf {
namespace {

using std::chrono::hours;

constexpr Millis kDay = hours(24);
constexpr Millis kShortest{10};

const Schema<Drain>& drain_schema() {
  static const Schema<Drain> schema{{field("deadline", &Drain::deadline, duration(Millis{0}, kDay),
                                           "after TERM: how long until what is left is cut off"),
                                     field("rate", &Drain::rate, plain_rate_or_off(),
                                           "sessions closed per second; \"off\": all at once")},
                                    {}};
  return schema;
}

std::string user_complaint(std::string_view name) {
  return name.empty() || is_plain_name(name) ? "" : in_quotes(name) + " is not a user's name";
}

const Schema<ListenerTimeouts>& listener_timeouts_fields() {
  using T = ListenerTimeouts;
  static const Schema<T> schema{
      {field("tls_handshake", &T::tls_handshake, duration(kShortest, kDay),
             "from accept to the end of the TLS handshake"),
       field("request_head", &T::request_head, duration(kShortest, kDay),
             "from a request head's first byte (or the connection's start) to its end"),
       field("keepalive", &T::keepalive, duration(kShortest, kDay),
             "between two requests of a connection")},
      {}};
  return schema;
}

const Schema<RouteTimeouts>& route_timeouts_fields() {
  using T = RouteTimeouts;
  static const Schema<T> schema{
      {field("connect", &T::connect, duration(kShortest, kDay), "to one server"),
       field("response_head", &T::response_head, duration(kShortest, kDay),
             "from the request sent to the end of the answer's head"),
       field("write_stall", &T::write_stall, duration(kShortest, kDay),
             "a peer that takes no byte for so long is given up"),
       field("min_body_rate", &T::min_body_rate, plain_byte_rate_or_off(),
             "a request's body slower than this, after 20 s, is answered 408"),
       field("min_send_rate", &T::min_send_rate, plain_byte_rate_or_off(),
             "an answer's reader slower than this, after 20 s, is given up")},
      {}};
  return schema;
}

const Schema<TcpTimeouts>& tcp_timeouts_fields() {
  using T = TcpTimeouts;
  static const Schema<T> schema{
      {field("tcp_keepalive", &T::keepalive, duration_or("off", Millis{1'000}, hours(9)),
             "silence after which the kernel probes a connection, of either side"),
       field("tcp_user_timeout", &T::user_timeout, duration_or("off", Millis{1'000}, kDay),
             "a peer that acknowledges nothing that was sent for so long is lost")},
      {}};
  return schema;
}

// The same fields with "as in [timeouts]" for a default.
template <typename T>
Schema<T> inheriting(const Schema<T>& schema) {
  Schema<T> result;
  for (const Field<T>& field : schema.fields) {
    result.fields.push_back(Field<T>(field).with_default("as in [timeouts]"));
  }
  return result;
}

// A part's fields as fields of the whole.
template <typename Whole, typename Part>
void lift(const Schema<Part>& part, Part Whole::*member, Schema<Whole>& into) {
  for (const Field<Part>& field : part.fields) {
    Field<Whole> lifted;
    lifted.about = field.about;
    lifted.read = [member, read = field.read](const Node& node, const Scope& scope, Whole& out) {
      read(node, scope, out.*member);
    };
    into.fields.push_back(std::move(lifted));
  }
}

}  // namespace

bool has_literal_fallback(const Described& entry) {
  const std::string& text = entry.fallback;
  if (text.empty() || text == "true" || text == "false") return !text.empty();
  return std::string_view("\"[0123456789").find(text.front()) != std::string_view::npos;
}

void refuse_key(const Node& entry, const Scope& scope, const std::vector<std::string>& known,
                const std::vector<std::string>& later) {
  if (std::find(later.begin(), later.end(), entry.key) != later.end()) {
    scope.problem_at_key(entry,
                         "key " + in_quotes(entry.key) + " is not available in this version");
    return;
  }
  scope.problem_at_key(entry,
                       "unknown key " + in_quotes(entry.key) + did_you_mean(entry.key, known));
}

const Schema<Server>& server_schema() {
  static const Schema<Server> schema{
      {field("workers", &Server::workers, integer(0, 256), "event-loop threads; 0: one per CPU"),
       field("max_connections", &Server::max_connections, integer(1, 10'000'000),
             "client connections of the process; more are answered 503"),
       section("drain", &Server::drain, drain_schema(),
               "how sessions are ended when they have to go"),
       field("user", &Server::user, text("user name", user_complaint),
             "dropped to once the sockets are bound; empty: stay")},
      {}};
  return schema;
}

const Schema<ListenerTimeouts>& listener_timeouts_schema() {
  static const Schema<ListenerTimeouts> schema = inheriting(listener_timeouts_fields());
  return schema;
}

const Schema<RouteTimeouts>& route_timeouts_schema() {
  static const Schema<RouteTimeouts> schema = inheriting(route_timeouts_fields());
  return schema;
}

const Schema<Timeouts>& timeouts_schema() {
  static const Schema<Timeouts> schema = [] {
    Schema<Timeouts> result;
    lift(listener_timeouts_fields(), &Timeouts::listener, result);
    lift(route_timeouts_fields(), &Timeouts::route, result);
    lift(tcp_timeouts_fields(), &Timeouts::tcp, result);
    return result;
  }();
  return schema;
}

const Schema<Log>& log_schema() {
  static const Schema<Log> schema{
      {field("level", &Log::level,
             choice<Log::Level>({{"trace", Log::Level::trace},
                                 {"debug", Log::Level::debug},
                                 {"info", Log::Level::info},
                                 {"warn", Log::Level::warn},
                                 {"error", Log::Level::error}}),
             "what is logged: this and what is worse"),
       field("format", &Log::format,
             choice<Log::Format>({{"text", Log::Format::text}, {"json", Log::Format::json}}),
             "of the log's lines"),
       field("file", &Log::file, log_target({"stderr"}, {"stdout", "off"}), "where the log goes"),
       field("access", &Log::access, log_target({"stdout", "off"}, {"stderr"}),
             "where the access log goes: a JSON line for each exchange and session"),
       field("access_interval", &Log::access_interval, duration_or("off", Millis{1'000}, kDay),
             "how often an open session has a line there in between, event \"update\"")},
      {}};
  return schema;
}

std::vector<Described> file_description() {
  return {
      {"include",
       "list: file or pattern",
       "[]",
       "more files, \"conf.d/*.toml\"; their listeners, routes and backends are added",
       {},
       shape::list(shape::text(), true)},
      {"server", "table", "", "the process", server_schema().described()},
      {"timeouts", "table", "", "for all listeners and routes", timeouts_schema().described()},
      {"log", "table", "", "what Fairlead writes", log_schema().described()},
      {"admin", "table", "", "seeing and steering", admin_schema().described()},
      {"dns", "table", "", "resolving the servers' names", dns_schema().described()},
      {"tracing", "table", "", "spans for a collector", tracing_schema().described()},
      {"listener", "list", "", "where clients come in", listener_schema().described()},
      {"route", "list", "", "which requests go to which backend", route_schema().described()},
      {"backend", "list", "", "servers that do the same work", backend_schema().described()},
  };
}

std::vector<std::string> later_sections() {
  return {"tap"};
}

}  // namespace fairlead::conf
