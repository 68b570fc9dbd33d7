#pragma once
// What the tests of checks share.

#include <netinet/in.h>

#include "conf/config.h"

namespace fairlead::edge {

inline conf::Address loopback() {
  conf::Address address;
  address.kind = conf::Address::Kind::ip;
  address.ip = conf::Ip::v4(INADDR_LOOPBACK);
  return address;
}

inline conf::Health settings(conf::Health::Type type) {
  conf::Health health;
  health.type = type;
  return health;
}

}  // namespace fairlead::edge
