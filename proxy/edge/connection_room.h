#pragma once
// How many clients the descriptors suffice for, and how many connections may wait beside them.

#include <algorithm>
#include <cstdint>

namespace fairlead::edge {

struct ConnectionRoom {
  std::uint32_t clients = UINT32_MAX;  // two descriptors each, to the client and to a server
  std::uint32_t idle = UINT32_MAX;     // connections to servers without a request (IdlePool)
};

// What `files` descriptors suffice for. What the admin endpoint, logs, checks, names and each
// worker's loop and pipes need is kept back, but never more than half. An eighth of the rest is for
// connections that wait for their next request: without a bound of their own they would take what
// clients who come meanwhile need.
constexpr ConnectionRoom connection_room(std::uint64_t files, unsigned workers) {
  constexpr std::uint64_t kProcess = 160;    // the admin endpoint's 64, listeners, checks, logs
  constexpr std::uint64_t kEachWorker = 72;  // net::PipePool::kMost pipes, the loop's own
  const std::uint64_t reserve = std::min(kProcess + kEachWorker * workers, files / 2);
  const std::uint64_t idle = (files - reserve) / 8;
  const auto most = [](std::uint64_t count) {
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(count, 1, UINT32_MAX));
  };
  return {most((files - reserve - idle) / 2), most(idle)};
}

}  // namespace fairlead::edge
