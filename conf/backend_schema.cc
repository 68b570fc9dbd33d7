#include "conf/schema.h"

namespace fairlead::conf {
namespace {

using std::chrono::hours;

constexpr std::uint32_t kSessions = 10'000'000;

std::string cookie_complaint(std::string_view name) {
  return is_token(name) ? "" : in_quotes(name) + " is not a cookie's name";
}

const Schema<BackendServer>& backend_server_schema() {
  static const Schema<BackendServer> schema{
      {required("address", &BackendServer::address, server_address(),
                "\"10.0.0.1:8080\", \"[fd00::1]:8080\", \"app.internal:8080\", \"unix:/PATH\", "
                "\"srv:_ws._tcp.example.com\""),
       field("weight", &BackendServer::weight, integer(1, 1000),
             "its share of the work, next to the others' weights"),
       field("max_sessions", &BackendServer::max_sessions, count_or_off(kSessions),
             "open sessions and exchanges it may have"),
       field("backup", &BackendServer::backup, flag(),
             "only while no other server can take a session")},
      {}};
  return schema;
}

// "10.0.0.1:8080", or a table with more about it.
Codec<BackendServer> backend_server() {
  return {"address or { address, weight, max_sessions, backup }",
          [plain = server_address(), table = table_of(backend_server_schema())](
              const Node& node, const Scope& scope) -> std::optional<BackendServer> {
            if (node.kind == Node::Kind::table) return table.read(node, scope);
            const auto address = plain.read(node, scope);
            if (!address) return std::nullopt;
            BackendServer server;
            server.address = *address;
            return server;
          },
          [](const BackendServer& server) { return "\"" + server.address.text() + "\""; },
          shape::either({shape::text(), object_shape(backend_server_schema().described())})};
}

const Schema<Sticky>& sticky_schema() {
  using SameSite = Sticky::SameSite;
  static const Schema<Sticky> schema = [] {
    Field<Sticky> secret;
    secret.about = {"secret_file",
                    "file",
                    "a secret made at start",
                    "signs the cookie; the same on every node, 16 bytes or more",
                    {}};
    secret.read = [](const Node& node, const Scope& scope, Sticky& out) {
      if (auto bytes = read_secret(node, scope)) out.secret = std::move(*bytes);
    };
    return Schema<Sticky>{
        {field("cookie", &Sticky::cookie, text("token", cookie_complaint), "the cookie's name"),
         secret,
         field("max_age", &Sticky::max_age, duration_or("session", Millis{1000}, hours(24 * 365)),
               "how long a browser keeps it"),
         field(
             "same_site", &Sticky::same_site,
             choice<SameSite>(
                 {{"Lax", SameSite::lax}, {"Strict", SameSite::strict}, {"None", SameSite::none}}),
             "on which requests a browser sends it"),
         field("engine_io", &Sticky::engine_io, flag(),
               "learn the `sid` of Engine.IO (Socket.IO) from polling answers")},
        {}};
  }();
  return schema;
}

const Schema<Rebalance>& rebalance_schema() {
  static const Schema<Rebalance> schema{
      {field("skew", &Rebalance::skew, percentage(1, 1000),
             "how far above its share a server may be"),
       field("rate", &Rebalance::rate, plain_rate(), "sessions moved per second"),
       field("min_age", &Rebalance::min_age, duration(Millis{0}, hours(24)),
             "younger sessions are left alone")},
      {}};
  return schema;
}

}  // namespace

const Schema<Backend>& backend_schema() {
  using Balance = Backend::Balance;
  static const Schema<Backend> schema = [] {
    Schema<Backend> result{
        {required("name", &Backend::name, plain_name(), "for routes and logs"),
         required("servers", &Backend::servers, list(backend_server(), Empty::refused),
                  "the addresses that do the work"),
         field("balance", &Backend::balance,
               choice<Balance>({{"least-connections", Balance::least_connections},
                                {"round-robin", Balance::round_robin},
                                {"random-two", Balance::random_two},
                                {"hash", Balance::hash}}),
               "which server a new session gets"),
         field("hash_key", &Backend::hash_key, hash_key(),
               "balance = \"hash\": what leads to the same server"),
         optional_section("sticky", &Backend::sticky, sticky_schema(),
                          "a cookie leads a client back to its server; without this table: no"),
         optional_section("health", &Backend::health, health_schema(),
                          "checks that take servers out and back in; without this table: none"),
         field("slow_start", &Backend::slow_start, count_or_off(kSessions),
               "open sessions until which a server that came up gets only its share of new ones"),
         optional_section("rebalance", &Backend::rebalance, rebalance_schema(),
                          "sessions move off servers with too many; without this table: no")},
        {"tls", "send_proxy_protocol"}};
    result.fields[1].about.nested = backend_server_schema().described();
    return result;
  }();
  return schema;
}

}  // namespace fairlead::conf
