#pragma once
// What it says that a connect failed, and of whom.

#include <cstdint>

namespace fairlead::net {

enum class ConnectFault : std::uint8_t {
  server,       // nobody there, no way to it, refused, too late: the server is to be avoided
  busy,         // its queue is full for the moment (unix sockets say so at once, TCP waits)
  ports,        // we have no local port left towards it; towards another server we may
  memory,       // the system has none left for sockets
  descriptors,  // we have no file descriptor left
};

// Of an errno of socket() or connect(), or of the connection's SO_ERROR. What a local rule or a
// missing route forbids (EPERM, EACCES, ENETUNREACH, EAFNOSUPPORT) is the server's: it cannot be
// reached, now and for the next client.
ConnectFault connect_fault(int error_number);

// Of ports, memory or descriptors: it says nothing about the server.
bool is_our_shortage(int error_number);

}  // namespace fairlead::net
