#include "conf/schema.h"

namespace fairlead::conf {
namespace {

using std::chrono::hours;

constexpr std::size_t kSecretLeast = 16;
constexpr std::size_t kSecretMost = 64 * 1024;

std::string cookie_complaint(std::string_view name) {
  return is_token(name) ? "" : in_quotes(name) + " is not a cookie's name";
}

const Schema<BackendServer>& backend_server_schema() {
  static const Schema<BackendServer> schema{
      {required("address", &BackendServer::address, server_address(),
                "\"10.0.0.1:8080\", \"[fd00::1]:8080\", \"app.internal:8080\", \"unix:/PATH\""),
       field("weight", &BackendServer::weight, integer(1, 1000),
             "its share of the work, next to the others' weights")},
      {"max_sessions", "backup"}};
  return schema;
}

// "10.0.0.1:8080", or a table with more about it.
Codec<BackendServer> backend_server() {
  return {"address or { address, weight }",
          [plain = server_address(), table = table_of(backend_server_schema())](
              const Node& node, const Scope& scope) -> std::optional<BackendServer> {
            if (node.kind == Node::Kind::table) return table.read(node, scope);
            const auto address = plain.read(node, scope);
            if (!address) return std::nullopt;
            return BackendServer{*address};
          },
          [](const BackendServer& server) { return "\"" + server.address.text() + "\""; }};
}

// The file's bytes without the newline an editor leaves. Not shown anywhere.
void read_secret(const Node& node, const Scope& scope, Sticky& out) {
  if (node.kind != Node::Kind::string) {
    scope.wrong_kind(node, "a string");
    return;
  }
  const std::string path = scope.source().resolve(node.text);
  Files::Content content = scope.files().read(path, kSecretMost);
  if (!content.bytes) {
    scope.problem(node, "cannot read " + in_quotes(path) + ": " + content.error);
    return;
  }
  std::string secret = std::move(*content.bytes);
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (secret.size() < kSecretLeast) {
    scope.problem(node, in_quotes(path) + " holds less than 16 bytes: too easy to guess");
    return;
  }
  if (content.world_readable) {
    scope.hint(node, in_quotes(path) + " can be read by everyone on this machine");
  }
  out.secret = std::move(secret);
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
    secret.read = read_secret;
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
         optional_section("rebalance", &Backend::rebalance, rebalance_schema(),
                          "sessions move off servers with too many; without this table: no")},
        {"health", "tls", "send_proxy_protocol"}};
    result.fields[1].about.nested = backend_server_schema().described();
    return result;
  }();
  return schema;
}

}  // namespace fairlead::conf
