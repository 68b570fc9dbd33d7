#pragma once
// What a reload is about, apart from doing it (Server): how it ended, what differs between two
// snapshots, and what a running process cannot change.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "proxy/edge/runtime.h"

namespace fairlead::edge {

struct ReloadOutcome {
  bool ok = false;
  std::vector<std::string> problems;  // each as `fairlead check` prints it
  bool untimely = false;              // it was not tried: what the process is at does not allow it
};

// The last reload that was tried; before any, the start.
struct LastReload {
  bool ok = true;
  std::chrono::system_clock::time_point at = std::chrono::system_clock::now();
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
};

struct RemovedServer {
  std::string backend;
  std::shared_ptr<balance::PoolServer> server;
};

struct Changes {
  struct Counts {
    std::size_t now = 0;
    std::size_t added = 0;
    std::size_t removed = 0;
  };

  Counts listeners;  // by socket
  Counts routes;     // by name, as backends
  Counts backends;
  Counts servers;  // by backend and name
  std::vector<RemovedServer> removed_servers;
  std::vector<std::string> removed_routes;

  // "2 listeners (1 added), 3 routes, 1 backend, 4 servers (2 added, 1 removed)"
  std::string text() const;
};

Changes compare(const Runtime& before, const Runtime& after);

// Puts the running values of what needs a restart into `next`, which stays true that way. Returns a
// warning for each that is another one there.
std::vector<std::string> keep_what_needs_restart(const conf::Config& running, conf::Config& next);

}  // namespace fairlead::edge
