#include "proxy/net/connect_fault.h"

#include <cerrno>

namespace fairlead::net {

ConnectFault connect_fault(int error_number) {
  switch (error_number) {
    case EADDRNOTAVAIL:
    case EADDRINUSE:
      return ConnectFault::ports;
    case EMFILE:
    case ENFILE:
      return ConnectFault::descriptors;
    case ENOBUFS:
    case ENOMEM:
      return ConnectFault::memory;
    case EAGAIN:
      return ConnectFault::busy;
    default:
      return ConnectFault::server;
  }
}

bool is_our_shortage(int error_number) {
  const ConnectFault fault = connect_fault(error_number);
  return fault != ConnectFault::server && fault != ConnectFault::busy;
}

}  // namespace fairlead::net
