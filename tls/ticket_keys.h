#pragma once
// Keys of session tickets (RFC 5077 section 4, RFC 8446 4.6.1) that several processes share: each
// resumes what another one began.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace fairlead::tls {

// One key as nginx's ssl_session_ticket_key has it. 80 bytes: a name of 16, 32 for HMAC-SHA256, 32
// for AES-256-CBC. 48 bytes: a name of 16, 16 for AES-128-CBC, 16 for HMAC-SHA256.
struct TicketKey {
  std::array<unsigned char, 16> name{};
  std::string cipher_key;
  std::string mac_key;
};

// Of the length's multiples that both sizes have (240 bytes) the 80 bytes are meant. Empty: that is
// no list of keys, or there are more than conf::bounds::kTicketKeys.
std::vector<TicketKey> parse_ticket_keys(std::string_view bytes);

// Tickets are encrypted with the first key and accepted under any; one under another than the first
// is replaced. The context keeps the keys. False: it failed.
bool use_ticket_keys(ssl_ctx_st* context, std::vector<TicketKey> keys);

// The keys OpenSSL made for the context, to hand them to another: not for one with use_ticket_keys.
// "" if it has none.
std::string made_ticket_keys(ssl_ctx_st* context);
bool set_made_ticket_keys(ssl_ctx_st* context, std::string_view keys);

}  // namespace fairlead::tls
