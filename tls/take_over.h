#pragma once
// Takes an established TLS 1.3 connection out of OpenSSL's hands: its secrets as the handshake made
// them, and how far its records have come.

#include "tls/record_layer.h"

struct ssl_st;
struct ssl_ctx_st;

namespace fairlead::tls {

// Connections of `context` note what take_over() needs. The secrets stay in the connection's SSL
// object and are cleansed with it; nothing is logged.
void watch_secrets(ssl_ctx_st* context);

// After SSL_do_handshake returned 1. Null where OpenSSL must go on with the connection: of a
// context that is not watched, of TLS 1.2, or anything that is not as expected. Else valid until
// forget_secrets() or SSL_free.
const RecordLayer::Start* take_over(ssl_st* ssl);

// OpenSSL goes on.
void forget_secrets(ssl_st* ssl);

}  // namespace fairlead::tls
