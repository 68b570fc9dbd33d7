// [backend.health]: how servers are checked.

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "conf/schema.h"

namespace fairlead::conf {
namespace {

constexpr Millis kShortestInterval{100};
constexpr Millis kShortestTimeout{10};
constexpr Millis kHour = std::chrono::hours(1);
constexpr std::uint32_t kMostInARow = 100;
constexpr std::size_t kTargetBytes = 1024;

// Of a request's target: a query may be in it.
std::string target_complaint(std::string_view target) {
  if (target.empty() || target.front() != '/') return "must begin with \"/\"";
  if (target.size() > kTargetBytes) return "must not be longer than 1024 bytes";
  for (const char c : target) {
    if (c == '#') return "must not have a \"#\": that part is never sent";
    // RFC 3986 2: what is no printable ASCII comes percent-encoded.
    if (c <= ' ' || c > '~') return "must have blanks and other than ASCII percent-encoded";
  }
  return "";
}

// RFC 9110 7.2: a host and, where it is not the scheme's own, a port.
std::string host_complaint(std::string_view host) {
  for (const char c : host) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view("-._~:[]").find(c) != std::string_view::npos;
    if (!good) return in_quotes(host) + " is not a host";
  }
  return "";
}

std::string subprotocol_complaint(std::string_view name) {
  return is_token(name) ? "" : in_quotes(name) + " is not a subprotocol's name";
}

std::optional<std::uint32_t> status_number(std::string_view text) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < 200 || number > 599) return std::nullopt;
  return number;
}

// "200" or "200-399". An interim answer (1xx) is none.
std::optional<Health::Statuses> parse_statuses(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = status_number(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : status_number(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return Health::Statuses{*first, *last};
}

Codec<Health::Statuses> statuses() {
  return {"status, or a range of them",
          [](const Node& node, const Scope& scope) -> std::optional<Health::Statuses> {
            const bool number = node.kind == Node::Kind::integer;
            if (!number && node.kind != Node::Kind::string) {
              scope.wrong_kind(node, "a status or a string such as \"200-399\"");
              return std::nullopt;
            }
            auto value = parse_statuses(number ? std::to_string(node.integer) : node.text);
            if (!value) {
              scope.problem(node,
                            "must be a status or a range of 200 to 599, such as \"200\" or "
                            "\"200-399\"");
            }
            return value;
          },
          [](const Health::Statuses& value) {
            const std::string first = std::to_string(value.first);
            const bool one = value.first == value.last;
            return "\"" + first + (one ? "" : "-" + std::to_string(value.last)) + "\"";
          },
          shape::either({shape::integer(200, 599), shape::matching("[0-9]+(-[0-9]+)?")})};
}

}  // namespace

const Schema<Health>& health_schema() {
  using Type = Health::Type;
  static const Schema<Health> schema{
      {required(
           "type", &Health::type,
           choice<Type>({{"tcp", Type::tcp}, {"http", Type::http}, {"websocket", Type::websocket}}),
           "a connect; a GET; or a handshake, a Ping and its Pong"),
       field("path", &Health::path, text("path", target_complaint), "http, websocket: asked for"),
       field("host", &Health::host, text("host", host_complaint), "http, websocket: sent as Host")
           .with_default("the server's address"),
       field("status", &Health::status, statuses(), "http: what counts as good"),
       field("subprotocol", &Health::subprotocol, text("token", subprotocol_complaint),
             "websocket: offered, and has to be agreed to")
           .with_default("none"),
       field("interval", &Health::interval, duration(kShortestInterval, kHour),
             "from one check to the next, give or take a tenth"),
       field("timeout", &Health::timeout, duration(kShortestTimeout, kHour), "for a whole check"),
       field("rise", &Health::rise, integer(1, kMostInARow),
             "good checks in a row that bring a server up"),
       field("fall", &Health::fall, integer(1, kMostInARow),
             "failed checks in a row that take it down")},
      {}};
  return schema;
}

}  // namespace fairlead::conf
