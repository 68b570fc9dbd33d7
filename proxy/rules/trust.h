#pragma once
// Whose word about a client counts. Trust belongs to an address: it is decided for the TCP peer,
// and anew for the address that a PROXY header names.

#include <cstdint>
#include <string_view>
#include <vector>

#include "conf/ip.h"
#include "proxy/wire/proxy_protocol.h"

namespace fairlead::rules {

// The connection as it reached us.
struct Peer {
  conf::Ip ip;               // the TCP peer, or the source in a PROXY header
  bool unix_socket = false;  // came over a unix socket: its ip says nothing
  // In trusted_proxies (a unix peer is, when any are configured): its X-Forwarded-* is believed.
  bool trusted = false;
  bool secure = false;           // TLS ended here, or at the proxy whose PROXY header says so
  std::uint16_t local_port = 0;  // X-Forwarded-Port
};

// Whether one of the networks contains the address.
bool is_trusted(const std::vector<conf::Cidr>& trusted, const conf::Ip& ip);

// The peer after its PROXY header, which is complete. Where the header names a client, the peer has
// that address, and the trust that belongs to it. Where it speaks for the sender's own connection
// (LOCAL), nothing changes. Where it stands for a client without naming it (UNKNOWN, UNSPEC, UDP,
// a unix socket), the peer keeps its address and loses its trust: what follows are the words of a
// stranger. A client that came over TLS to the sender is secure here too.
void take_proxy_header(const wire::ProxyHeader& header, const std::vector<conf::Cidr>& trusted,
                       Peer& peer);

// Whether a field of that name from that peer may reach the backend, as far as trust goes. Names by
// which proxies speak of a client (`X-Forwarded`, `X-Forwarded-*`, `Forwarded`, `X-Real-IP`) pass
// from a trusted peer only, and from nobody in a disguise that CGI and its heirs take for the name
// (other punctuation for '-', RFC 3875 4.1.18). `Proxy` passes from nobody: CGI makes it the
// variable HTTP_PROXY. `Fairlead-*` passes from nobody: it is how Fairlead speaks to backends.
bool may_say(const Peer& peer, std::string_view name);

}  // namespace fairlead::rules
