#include "conf/schema.h"

namespace fairlead::conf {
namespace {

using std::chrono::hours;

constexpr Millis kDay = hours(24);
constexpr Millis kYear = hours(24 * 365);
constexpr Millis kShortest{10};
constexpr std::size_t kPathBytes = 1024;

// "/x/*" and "/x*" are no patterns: only a path with a star in it would fit.
std::string wildcard_complaint(std::string_view path) {
  for (std::size_t star = path.find('*'); star < path.size(); star = path.find('*', star + 1)) {
    if (star + 1 < path.size() && path[star + 1] != '/') continue;  // within a segment
    std::string_view prefix = path.substr(0, star);
    while (!prefix.empty() && (prefix.back() == '/' || prefix.back() == '*'))
      prefix.remove_suffix(1);
    return "is a prefix, not a pattern, and \"*\" stands for itself: " +
           in_quotes(prefix.empty() ? "/" : prefix) + " takes all below it";
  }
  return "";
}

std::string path_complaint(std::string_view path) {
  if (path.empty() || path.front() != '/') return "must begin with \"/\"";
  if (path.size() > kPathBytes) return "must not be longer than 1024 bytes";
  if (const std::string wildcard = wildcard_complaint(path); !wildcard.empty()) return wildcard;
  for (const char c : path) {
    if (c == '?' || c == '#') return "must not have a \"?\" or \"#\": a route knows no query";
    // RFC 3986 2: what is no printable ASCII comes percent-encoded.
    if (c <= ' ' || c > '~') return "must have blanks and other than ASCII percent-encoded";
  }
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    const std::string_view digits = path.substr(at + 1, 2);
    const bool hex = digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    if (digits.size() < 2 || !hex || digits == "00")
      return "must have two hex digits behind a \"%\", not 00: requests without are refused";
  }
  return "";
}

std::string token_complaint(std::string_view name) {
  return is_token(name) ? "" : in_quotes(name) + " is not a subprotocol's name";
}

std::string backend_complaint(std::string_view name) {
  return name.empty() ? "must not be empty" : "";
}

std::vector<Field<WebSocket>> websocket_sizes() {
  return {field("max_message", &WebSocket::max_message, size_or_off(),
                "payload of a client's message, its fragments added up"),
          field("max_message_from_backend", &WebSocket::max_message_from_backend, size_or_off(),
                "the same for a server's message"),
          field("max_frame", &WebSocket::max_frame, size_or_off(),
                "payload of one frame, either direction")};
}

const Schema<WebSocket>& websocket_schema() {
  using W = WebSocket;
  static const Schema<W> schema = [] {
    Schema<W> result{websocket_sizes(), {"strict_text", "compression"}};
    const std::vector<Field<W>> rest{
        field("ping_interval", &W::ping_interval, duration_or("off", kShortest, kDay),
              "silence after which a peer is pinged"),
        field("ping_timeout", &W::ping_timeout, duration(kShortest, kDay),
              "more silence after which it is dead"),
        field("ping_backend", &W::ping_backend, flag(), "ping servers too"),
        field("idle_timeout", &W::idle_timeout, duration_or("off", kShortest, kYear),
              "without a data frame in either direction"),
        field("max_lifetime", &W::max_lifetime, duration_or("off", kShortest, kYear),
              "of a session"),
        field("strict", &W::strict, flag(), "protocol violations close with 1002")};
    result.fields.insert(result.fields.end(), rest.begin(), rest.end());
    return result;
  }();
  return schema;
}

const Schema<Limits>& limits_schema() {
  using Excess = Limits::OnExcess;
  static const Schema<Limits> schema{
      {field("handshakes_per_ip", &Limits::handshakes_per_ip, rate_or_off(RateOf::events),
             "WebSocket handshakes of one address (IPv6: of one /64)"),
       field("connections_per_ip", &Limits::connections_per_ip, count_or_off(1'000'000),
             "open sessions of one address (IPv6: of one /64)"),
       field("messages", &Limits::messages, rate_or_off(RateOf::events),
             "data messages from the client, per session"),
       field("bytes", &Limits::bytes, rate_or_off(RateOf::bytes),
             "bytes of frames from the client, per session"),
       field("control_frames", &Limits::control_frames, rate_or_off(RateOf::events),
             "Pings, Pongs and empty continuations from the client, per session; always throttled"),
       field("on_excess", &Limits::on_excess,
             choice<Excess>({{"throttle", Excess::throttle}, {"close", Excess::close}}),
             "too many messages or bytes: stop reading, or close with 1008")},
      {}};
  return schema;
}

const Schema<Route::Reattach>& reattach_schema() {
  using R = Route::Reattach;
  static const Schema<R> schema{
      {field("deadline", &R::deadline, duration(Millis{100}, std::chrono::minutes(5)),
             "how long a client is held for another server"),
       field("attempts", &R::attempts, integer(1, 100), "handshakes tried in that time")},
      {}};
  return schema;
}

std::vector<Field<Route>> route_matching() {
  using Kind = Route::Kind;
  return {field("name", &Route::name, plain_name(), "for logs and metrics")
              .with_default("the backend's name"),
          field("hosts", &Route::hosts, list(host(), Empty::allowed),
                "\"*.example.org\": any subdomain; empty: any host"),
          field("path", &Route::path, text("path", path_complaint),
                "the longest prefix that ends at a segment boundary wins"),
          field("subprotocols", &Route::subprotocols,
                list(text("token", token_complaint), Empty::allowed),
                "only handshakes that offer one of them; empty: any"),
          field("kind", &Route::kind,
                choice<Kind>(
                    {{"any", Kind::any}, {"websocket", Kind::websocket}, {"http", Kind::http}}),
                "which requests are taken"),
          required("backend", &Route::backend, text("name of a backend", backend_complaint),
                   "where they go")};
}

}  // namespace

const Schema<Route>& route_schema() {
  static const Schema<Route> schema = [] {
    Schema<Route> result{route_matching(), {"auth", "tap"}};
    const std::vector<Field<Route>> rest{
        field("origins", &Route::origins, list(origin(), Empty::refused),
              "whose pages may open sessions: \"https://app.example.com\", "
              "\"https://*.example.com\", \"same-origin\", \"null\", or \"any\" for no check"),
        field("require_origin", &Route::require_origin, flag(),
              "refuse a handshake without an Origin (from what is no browser)"),
        field("strip_prefix", &Route::strip_prefix, flag(),
              "the backend sees the path without `path`"),
        field("on_removal", &Route::on_removal,
              choice<Route::OnRemoval>({{"keep", Route::OnRemoval::keep},
                                        {"drain", Route::OnRemoval::drain},
                                        {"close", Route::OnRemoval::close}}),
              "its sessions, when a reload or DNS takes the route or their server away: let be, "
              "move at server.drain.rate, or close at once with 1012"),
        field("on_backend_loss", &Route::on_backend_loss,
              choice<Route::OnBackendLoss>({{"close", Route::OnBackendLoss::close},
                                            {"reattach", Route::OnBackendLoss::reattach}}),
              "a session whose server is lost or drained: close it, or hold the client and repeat "
              "its handshake on another server"),
        section("reattach", &Route::reattach, reattach_schema(), "on_backend_loss = \"reattach\""),
        section("websocket", &Route::websocket, websocket_schema(), "its sessions"),
        section("limits", &Route::limits, limits_schema(), "what clients may ask for"),
        section("timeouts", &Route::timeouts, route_timeouts_schema(), "for this route alone")};
    result.fields.insert(result.fields.end(), rest.begin(), rest.end());
    return result;
  }();
  return schema;
}

}  // namespace fairlead::conf
