#pragma once
// SSL_CTX for listeners: the only place that configures OpenSSL.
// TLS 1.2 and 1.3 with Mozilla's intermediate ciphers, tickets for resumption, no renegotiation, no
// compression, ALPN http/1.1, released buffers (an idle connection holds no record buffer).

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "conf/config.h"
#include "tls/certificate_info.h"

struct ssl_ctx_st;

namespace fairlead::tls {

class TicketKeyRing;

// Immutable after it was made, but for the keys of its tickets; shared by threads.
class ServerContext {
 public:
  struct Made;

  // From the files of a listener. On failure `context` is null and `error` says which file and why,
  // in one line. `previous`: the one it takes the place of, whose tickets stay good.
  // `ticket_keys`: those of another process, as made_ticket_keys() gave them there, and how long
  // the first has been in use; "": none.
  static Made from_files(const conf::ListenerTls& settings, const ServerContext* previous = nullptr,
                         std::string_view ticket_keys = {}, std::chrono::seconds key_age = {});
  // From PEM text (the demo's throw-away certificate).
  static Made from_pem(const std::string& certificate, const std::string& key,
                       conf::ListenerTls::Version min_version, bool compact = false);

  explicit ServerContext(ssl_ctx_st* owned);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  ssl_ctx_st* get() const { return context_; }

  // The keys of its tickets, shared with the contexts before and after it at its listener.
  const std::shared_ptr<TicketKeyRing>& ticket_keys() const { return ticket_keys_; }

  // Those that were made up, for a process that takes over; "" where they are of a file.
  std::string made_ticket_keys() const;

  // Its certificate's.
  const CertificateInfo& certificate() const { return certificate_; }

 private:
  ssl_ctx_st* context_;
  std::shared_ptr<TicketKeyRing> ticket_keys_;
  CertificateInfo certificate_;
};

struct ServerContext::Made {
  std::shared_ptr<const ServerContext> context;
  std::string error;
};

}  // namespace fairlead::tls
