#pragma once
// The opening handshake (RFC 6455 4), both sides.

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/wire/head.h"

namespace fairlead::wire {

// GET, HTTP/1.1, Upgrade holds websocket, Connection holds upgrade, no body (RFC 6455 4.2.1).
bool is_websocket_handshake(const RequestHead& head);

enum class HandshakeError : std::uint8_t { none, bad_key, bad_version };

// Version first (13, once), then the key (once, base64 of 16 bytes). RFC 6455 4.2.1, 4.4.
HandshakeError check_handshake(const RequestHead& head);

// Sec-WebSocket-Accept for a key (RFC 6455 4.2.2).
std::string accept_key(std::string_view key);

// What a backend's 101 agreed to; views into the answer's head.
struct Agreed {
  bool ok = false;
  const char* why = "";  // not ok: what is wrong, for the log
  // Not ok, and whatever a client offers, a sound server does not answer so: Upgrade, Connection or
  // Sec-WebSocket-Accept is wrong. Of all else a client may be the cause, who must not have a
  // server taken for broken.
  bool servers_fault = false;
  std::string_view subprotocol;  // "" for none
  std::string_view extensions;   // the header's value, "" for none
  // What the extensions claim of the frame header: permessage-deflate claims RSV1 on the first
  // frame of a message (RFC 7692 6); of an extension we do not know anything may be claimed.
  bool deflate = false;
  bool unknown_extension = false;
};

// Checks a 101 against the request it answers (RFC 6455 4.1): Upgrade, Connection, Accept, a
// subprotocol and extensions out of those offered, each header at most once where the RFC says so.
Agreed check_answer(const RequestHead& request, const ResponseHead& answer);

}  // namespace fairlead::wire
