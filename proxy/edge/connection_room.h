#pragma once
// How many clients the descriptors suffice for.

#include <algorithm>
#include <cstdint>

namespace fairlead::edge {

// The most client connections at once with `files` descriptors: two each, one to the client and one
// to a server. What the admin endpoint, logs, checks, names and each worker's loop and pipes need
// is kept back, but never more than half.
constexpr std::uint32_t connection_room(std::uint64_t files, unsigned workers) {
  constexpr std::uint64_t kProcess = 160;    // the admin endpoint's 64, listeners, checks, logs
  constexpr std::uint64_t kEachWorker = 72;  // net::PipePool::kMost pipes, the loop's own
  const std::uint64_t reserve = std::min(kProcess + kEachWorker * workers, files / 2);
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>((files - reserve) / 2, 1, UINT32_MAX));
}

}  // namespace fairlead::edge
