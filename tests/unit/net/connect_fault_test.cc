#include "proxy/net/connect_fault.h"

#include <cerrno>

#include "tests/support/catch.h"

namespace fairlead::net {

TEST_CASE("connect fault: whose it is", "[net][connect_fault]") {
  struct Row {
    int error;
    ConnectFault want;
  };

  const auto row = GENERATE(values<Row>({
      {ECONNREFUSED, ConnectFault::server},
      {ETIMEDOUT, ConnectFault::server},
      {ECONNRESET, ConnectFault::server},
      {EHOSTUNREACH, ConnectFault::server},
      {ENETUNREACH, ConnectFault::server},
      {EPERM, ConnectFault::server},
      {EACCES, ConnectFault::server},
      {ENOENT, ConnectFault::server},
      {EAFNOSUPPORT, ConnectFault::server},
      {EINVAL, ConnectFault::server},
      {EAGAIN, ConnectFault::busy},
      {EADDRNOTAVAIL, ConnectFault::ports},
      {EADDRINUSE, ConnectFault::ports},
      {EMFILE, ConnectFault::descriptors},
      {ENFILE, ConnectFault::descriptors},
      {ENOBUFS, ConnectFault::memory},
      {ENOMEM, ConnectFault::memory},
  }));
  CAPTURE(row.error);
  CHECK(connect_fault(row.error) == row.want);
  const bool ours = row.want == ConnectFault::ports || row.want == ConnectFault::memory ||
                    row.want == ConnectFault::descriptors;
  CHECK(is_our_shortage(row.error) == ours);
}

}  // namespace fairlead::net
