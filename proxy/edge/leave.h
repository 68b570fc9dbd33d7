#pragma once
// How a session is asked to go: when, why, and how long it may take to come to the end of a
// message.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "proxy/balance/pool.h"
#include "proxy/edge/gate.h"
#include "proxy/net/timer.h"
#include "proxy/rules/failure.h"

namespace fairlead::edge {

// Which sessions. Listeners and routes go by their names, a server by its object: each of them
// survives a reload.
struct Scope {
  enum class Kind : std::uint8_t { all, listener, route, server };

  Kind kind = Kind::all;
  std::string name;                             // the listener's or the route's
  std::shared_ptr<balance::PoolServer> server;  // with Kind::server
  std::string backend;                          // its backend's name, for people
  std::shared_ptr<Gate> gate = nullptr;         // the listener's or the route's; the Drainer's care

  // "all", "listener 0.0.0.0:443", "route chat", "chat/10.0.0.11:8080"
  std::string text() const {
    switch (kind) {
      case Kind::all:
        break;
      case Kind::listener:
        return "listener " + name;
      case Kind::route:
        return "route " + name;
      case Kind::server:
        return backend + "/" + server->name;
    }
    return "all";
  }

  bool operator==(const Scope& other) const {
    return kind == other.kind && name == other.name && server == other.server;
  }
};

// A job's sessions, counted by all workers and read by the main thread.
struct LeaveCount {
  std::atomic<std::uint32_t> total{0};  // chosen so far, and not given up
  std::atomic<std::uint32_t> left{0};   // of these, not over yet
  std::atomic<std::uint32_t> told{0};   // have been ended by the job
  std::atomic<std::uint32_t> going{0};  // of these, not over yet

  // How many would stay if the job were undone now.
  std::uint32_t staying() const {
    const std::uint32_t open = left.load();
    return open - std::min(open, going.load());
  }
};

struct Leave {
  std::uint32_t job = 0;
  rules::Cause cause = rules::Cause::moved;
  net::TimePoint at{};  // when it is to go
  net::TimePoint
      until{};         // a message under way may go on as long; then only a frame may not be cut
  bool final = false;  // the process's end: goes before any other
  conf::Millis min_idle{0};  // one that has said something within it then stays after all
  std::shared_ptr<LeaveCount> count = nullptr;  // null: nobody counts
  bool leaves_server = false;  // ... and nothing else: it may go on at another (on_backend_loss)
};

// A session's Leave while it lasts: counts it.
class Leaving {
 public:
  explicit Leaving(Leave leave) : leave_(std::move(leave)) {
    if (!leave_.count) return;
    leave_.count->total.fetch_add(1, std::memory_order_relaxed);
    leave_.count->left.fetch_add(1, std::memory_order_relaxed);
  }

  ~Leaving() {
    if (!leave_.count) return;
    leave_.count->left.fetch_sub(1, std::memory_order_relaxed);
    if (told_) leave_.count->going.fetch_sub(1, std::memory_order_relaxed);
  }

  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;

  // The session is not the job's any more: it stays, or another job has it.
  void given_up() {
    if (leave_.count) leave_.count->total.fetch_sub(1, std::memory_order_relaxed);
  }

  // The session is told: from now on there is no way back.
  void told() {
    if (!leave_.count || std::exchange(told_, true)) return;
    leave_.count->told.fetch_add(1, std::memory_order_relaxed);
    leave_.count->going.fetch_add(1, std::memory_order_relaxed);
  }

  const Leave& leave() const { return leave_; }

  bool due = false;  // it only waits for the end of a message

 private:
  Leave leave_;
  bool told_ = false;
};

}  // namespace fairlead::edge
