#include "conf/schema.h"

namespace fairlead::conf {
namespace {

const Schema<Certificate>& certificate_schema() {
  static const Schema<Certificate> schema{
      {required("cert", &Certificate::cert, readable_file(),
                "PEM file: the certificate and its chain"),
       required("key", &Certificate::key, private_file(), "PEM file: the private key")},
      {}};
  return schema;
}

// Exactly one for now: the first is used for every name.
Codec<std::vector<Certificate>> certificates() {
  Codec<std::vector<Certificate>> codec = list(table_of(certificate_schema()), Empty::refused);
  codec.type = "list: one { cert, key }";
  codec.read = [read = codec.read](const Node& node, const Scope& scope) {
    if (node.kind == Node::Kind::array && node.children.size() > 1) {
      scope.problem(node.children[1], "more than one certificate is not available in this version");
    }
    return read(node, scope);
  };
  return codec;
}

// Keys of 48 or 80 bytes, nothing between them. Their bytes may be any, so none are cut off.
void read_ticket_keys(const Node& node, const Scope& scope, ListenerTls& out) {
  constexpr std::size_t kMost = 80 * bounds::kTicketKeys;
  const auto file = read_secret_file(node, scope, kMost);
  if (!file) return;
  const std::size_t size = file->size();
  if (size == 0 || (size % 80 != 0 && (size % 48 != 0 || size / 48 > bounds::kTicketKeys))) {
    scope.problem(node, in_quotes(scope.source().resolve(node.text)) + " holds " +
                            std::to_string(size) +
                            " bytes: one to 16 keys of 80 bytes each are needed, or of 48 each");
    return;
  }
  out.ticket_keys = *file;
}

const Schema<ListenerTls>& tls_schema() {
  using Version = ListenerTls::Version;
  static const Schema<ListenerTls> schema = [] {
    Field<ListenerTls> ticket_keys;
    ticket_keys.about = {"ticket_key_file",
                         "file",
                         "keys made at start",
                         "session tickets' keys, the same on every node; see the manual",
                         {}};
    ticket_keys.read = read_ticket_keys;
    Schema<ListenerTls> result{
        {required("certificates", &ListenerTls::certificates, certificates(),
                  "the certificate shown to clients"),
         field("min_version", &ListenerTls::min_version,
               choice<Version>({{"1.2", Version::tls12}, {"1.3", Version::tls13}}),
               "older TLS versions are refused"),
         ticket_keys,
         field("compact", &ListenerTls::compact, flag(),
               "TLS 1.3 sessions keep only their keys in memory; see the manual")},
        {"client_ca", "client_auth", "strict_sni"}};
    result.fields.front().about.nested = certificate_schema().described();
    return result;
  }();
  return schema;
}

}  // namespace

const Schema<Listener>& listener_schema() {
  static const Schema<Listener> schema{
      {required("address", &Listener::address, listener_address(),
                "\"0.0.0.0:443\", \"[::]:443\" (IPv4 too), \"unix:/PATH\"; port 0: any free one"),
       field("proxy_protocol", &Listener::proxy_protocol, flag(),
             "a PROXY v1 or v2 header comes first, from trusted_proxies only"),
       field("trusted_proxies", &Listener::trusted_proxies, list(network(), Empty::allowed),
             "whose X-Forwarded-* and PROXY header is believed"),
       field("redirect_to_https", &Listener::redirect_to_https, flag(),
             "answer every request with 308 to https"),
       optional_section("tls", &Listener::tls, tls_schema(),
                        "speak TLS; without this table: plain"),
       section("timeouts", &Listener::timeouts, listener_timeouts_schema(),
               "for this listener alone")},
      {}};
  return schema;
}

}  // namespace fairlead::conf
