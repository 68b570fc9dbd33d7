#pragma once
// Whether a listener or a route takes new handshakes. The snapshots of a listener's socket, or of a
// route's name, share one, so that it outlives a reload.

#include <atomic>

namespace fairlead::edge {

struct Gate {
  std::atomic<bool> closed{false};  // it is drained; written by the main thread
};

}  // namespace fairlead::edge
