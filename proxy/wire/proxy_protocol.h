#pragma once
// The PROXY protocol, versions 1 and 2 (haproxy.org/download/3.0/doc/proxy-protocol.txt).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "conf/ip.h"

namespace fairlead::wire {

struct ProxyHeader {
  enum class State : std::uint8_t { more, complete, error };
  State state = State::more;
  std::size_t size = 0;  // complete: bytes the header takes

  // The connection's ends as the proxy saw them; absent for LOCAL, UNKNOWN and unix sockets: keep
  // the peer's own.
  struct Ends {
    conf::Ip source;
    std::uint16_t source_port = 0;
    conf::Ip destination;
    std::uint16_t destination_port = 0;
  };

  std::optional<Ends> ends;
  // Version 2, LOCAL: the sender's own connection (a health check), nobody's behind it.
  bool local = false;
  // The client spoke TLS with the proxy (version 2: PP2_TYPE_SSL, section 2.2.6).
  bool tls = false;
};

// Parses what has arrived so far, from the connection's first byte. Never asks for more than
// conf::bounds::kProxyHeader bytes: a longer header is an error. TLVs of version 2 (section 2.2.7)
// have to fill the header exactly, and a CRC-32c has to be right; those that are not known are
// skipped.
ProxyHeader parse_proxy_header(std::string_view bytes);

}  // namespace fairlead::wire
