#include "tls/context.h"

#include <openssl/err.h>

#include <string_view>

#include "tls/errors.h"
#include "tls/handle.h"
#include "tls/key_pair.h"
#include "tls/take_over.h"
#include "tls/ticket_keys.h"

namespace fairlead::tls {

namespace {

// Mozilla's "intermediate" list for TLS 1.2 without its DHE suites: they cost the server most, and
// no client that knows TLS 1.2 and WebSockets needs them. TLS 1.3's three suites are OpenSSL's
// default.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::string_view kSessionIdContext = "fairlead";

// RFC 7301 3.2: a client that offers protocols, none of them ours, gets the alert
// no_application_protocol. (So does nginx since 1.21.4; going on would let another protocol's
// client be answered in HTTP.)
int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void* /*unused*/) {
  constexpr std::string_view kOurs = "http/1.1";
  std::string_view list(reinterpret_cast<const char*>(offered), offered_size);
  while (!list.empty()) {
    const auto size = static_cast<unsigned char>(list.front());
    const std::string_view name = list.substr(1, size);
    if (name == kOurs) {
      *chosen = reinterpret_cast<const unsigned char*>(name.data());
      *chosen_size = size;
      return SSL_TLSEXT_ERR_OK;
    }
    list.remove_prefix(1 + name.size());
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Accepts every name: without this answer OpenSSL forgets the name of a session resumed with
// TLS 1.2.
int accept_name(SSL* /*ssl*/, int* /*alert*/, void* /*unused*/) {
  return SSL_TLSEXT_ERR_OK;
}

ContextPtr new_context(conf::ListenerTls::Version min_version) {
  ContextPtr context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* raw = context.get();
  if (raw == nullptr) return nullptr;
  const int version =
      min_version == conf::ListenerTls::Version::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
  const auto* id = reinterpret_cast<const unsigned char*>(kSessionIdContext.data());
  if (SSL_CTX_set_min_proto_version(raw, version) != 1 ||
      SSL_CTX_set_cipher_list(raw, kCiphers) != 1 || SSL_CTX_set1_groups_list(raw, kGroups) != 1 ||
      SSL_CTX_set_session_id_context(raw, id, kSessionIdContext.size()) != 1 ||
      SSL_CTX_set_num_tickets(raw, 1) != 1) {
    return nullptr;
  }
  // Resumption is by ticket: the cache would cost memory a session, and a lock shared by the
  // threads.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // Engine gives OpenSSL a place for every byte at once, so a write is never partial.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  // What SSL_CTX_set_tlsext_servername_callback is, without its C cast.
  SSL_CTX_callback_ctrl(raw, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(accept_name));
  return context;
}

// "" or what is wrong.
std::string use_pair(SSL_CTX* context, KeyPair& pair) {
  if (SSL_CTX_use_certificate(context, pair.leaf.get()) != 1) return take_errors();
  for (CertificatePtr& next : pair.chain) {
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) return take_errors();
    static_cast<void>(next.release());  // the context's now
  }
  return SSL_CTX_use_PrivateKey(context, pair.key.get()) == 1 ? "" : take_errors();
}

// Whose keys a context's tickets are under.
struct TicketSource {
  const std::string& file;                  // of ticket_key_file; "": none
  std::shared_ptr<TicketKeyRing> previous;  // of the context before; null: none
  std::string_view given;                   // by another process; "": none
  std::chrono::seconds age{};               // of these
};

// The keys of the file, else those another context has made up, so that its tickets stay good, else
// new ones. Null: `given` is none.
std::shared_ptr<TicketKeyRing> find_ticket_keys(const TicketSource& source) {
  const auto now = TicketKeyRing::Clock::now();
  if (!source.file.empty()) {
    auto keys = parse_ticket_keys(source.file);
    return keys.empty() ? nullptr : std::make_shared<TicketKeyRing>(std::move(keys));
  }
  if (source.previous && source.previous->is_made()) return source.previous;
  if (source.given.empty()) return TicketKeyRing::made(now);
  return TicketKeyRing::taken_over(source.given, source.age, now);
}

// "" or what is wrong.
std::string bind_tickets(SSL_CTX* context, const TicketSource& source) {
  if (use_ticket_keys(context, find_ticket_keys(source))) return "";
  const char* const what = source.file.empty() ? "the ticket keys cannot be carried over: "
                                               : "ticket_key_file: the keys cannot be used: ";
  return what + take_errors();
}

ServerContext::Made failed(const char* what, const std::string& name, const std::string& why) {
  return {nullptr, std::string(what) + (name.empty() ? "" : " \"" + name + "\"") + ": " + why};
}

// The names are empty where the PEM text came from no file.
ServerContext::Made make(const std::string& certificate, const std::string& key,
                         conf::ListenerTls::Version min_version, const conf::Certificate& names,
                         const TicketSource& tickets) {
  ERR_clear_error();
  ContextPtr context = new_context(min_version);
  if (!context) return {nullptr, "OpenSSL refused its settings: " + take_errors()};
  KeyPair pair = read_key_pair(certificate, key);
  if (!pair.certificate_error.empty())
    return failed("certificate", names.cert, pair.certificate_error);
  if (!pair.key_error.empty()) return failed("key", names.key, pair.key_error);
  std::string why = use_pair(context.get(), pair);
  if (!why.empty()) return failed("certificate", names.cert, why);
  why = bind_tickets(context.get(), tickets);
  if (!why.empty()) return {nullptr, why};
  return {std::make_shared<const ServerContext>(context.release()), ""};
}

}  // namespace

ServerContext::Made ServerContext::from_files(const conf::ListenerTls& settings,
                                              const ServerContext* previous,
                                              std::string_view ticket_keys,
                                              std::chrono::seconds key_age) {
  if (settings.certificates.size() != 1) return {nullptr, "exactly one certificate is needed"};
  const conf::Certificate& files = settings.certificates.front();
  std::string certificate;
  std::string key;
  std::string why = read_pem_file(files.cert, certificate);
  if (!why.empty()) return failed("certificate", files.cert, why);
  why = read_pem_file(files.key, key);
  if (!why.empty()) return failed("key", files.key, why);
  Made made = make(certificate, key, settings.min_version, files,
                   {settings.ticket_keys, previous != nullptr ? previous->ticket_keys() : nullptr,
                    ticket_keys, key_age});
  OPENSSL_cleanse(key.data(), key.size());
  if (made.context && settings.compact) watch_secrets(made.context->get());
  return made;
}

ServerContext::Made ServerContext::from_pem(const std::string& certificate, const std::string& key,
                                            conf::ListenerTls::Version min_version, bool compact) {
  Made made = make(certificate, key, min_version, {}, {"", nullptr, {}, {}});
  if (made.context && compact) watch_secrets(made.context->get());
  return made;
}

ServerContext::ServerContext(ssl_ctx_st* owned)
    : context_(owned),
      ticket_keys_(ticket_keys_of(owned)),
      certificate_(certificate_info(SSL_CTX_get0_certificate(owned))) {}

std::string ServerContext::made_ticket_keys() const {
  return ticket_keys_ && ticket_keys_->is_made() ? ticket_keys_->bytes() : std::string();
}

ServerContext::~ServerContext() {
  SSL_CTX_free(context_);
}

}  // namespace fairlead::tls
