#pragma once
// What the tests of the pool begin with.

#include <chrono>
#include <initializer_list>

#include "proxy/balance/pool.h"

namespace fairlead::balance::test {

inline const Clock::time_point kStart{std::chrono::hours(1000)};

inline conf::Backend backend(
    std::initializer_list<std::uint32_t> weights,
    conf::Backend::Balance balance = conf::Backend::Balance::least_connections) {
  conf::Backend result;
  result.name = "chat";
  result.balance = balance;
  std::uint16_t port = 8080;
  for (const auto weight : weights) {
    conf::BackendServer server;
    server.address.ip = conf::Ip::v4(0x0a00000b);
    server.address.port = port++;
    server.weight = weight;
    result.servers.push_back(server);
  }
  return result;
}

inline std::uint32_t sessions(const Pool& pool, std::size_t index) {
  return pool.server(index).sessions.load();
}

// Without a cookie, with nothing tried.
inline Lease pick(Pool& pool, Clock::time_point now) {
  return pool.pick(kNoServer, {}, now);
}

}  // namespace fairlead::balance::test
