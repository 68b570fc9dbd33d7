#pragma once
// What a connection finds in its worker; one per worker, outlives all of them.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "proxy/edge/conn_ids.h"
#include "proxy/edge/link.h"
#include "proxy/edge/shortage_log.h"
#include "proxy/edge/waiting_room.h"
#include "proxy/net/loop.h"
#include "proxy/observe/access_log.h"
#include "proxy/observe/recent_ends.h"
#include "proxy/observe/registry.h"
#include "tls/digest.h"

namespace fairlead::edge {

// Unpredictable numbers, drawn in batches: masks (RFC 6455 5.3) and Ping payloads.
class Random {
 public:
  std::uint64_t next() {
    if (used_ == pool_.size()) refill();
    return pool_[used_++];
  }

 private:
  void refill() {
    tls::random_bytes({reinterpret_cast<char*>(pool_.data()), sizeof pool_});
    used_ = 0;
  }

  std::array<std::uint64_t, 64> pool_{};
  std::size_t used_ = pool_.size();
};

class IdlePool;
class Departures;
class Runtime;
class Tracer;

struct Home {
  net::Loop& loop;
  Links& links;
  observe::AccessLog& access;
  Random random{};
  ConnIds conn_ids{};
  bool draining = false;
  net::TimePoint drain_deadline{};  // meaningful while draining
  std::uint32_t busy = 0;           // sessions and exchanges under way: a drain waits for them
  // Set by the main thread before any worker begins to drain: once a client has seen its Close
  // 1001, no worker takes a new handshake any more.
  const std::atomic<bool>* stopping = nullptr;
  IdlePool* idle = nullptr;  // null: no connection to a server is used twice
  std::string scratch{};     // what is put together to leave in one send; used within one handler
  // The newest snapshot: what connections go over to between two requests. Null: they keep theirs.
  std::shared_ptr<const Runtime> runtime{};
  Departures* departures = nullptr;  // told of each new session
  unsigned worker = 0;               // its number
  std::shared_ptr<observe::WorkerCounters> counters = std::make_shared<observe::WorkerCounters>();
  observe::RecentEnds ends{};  // of this worker
  // With `draining`: another process has taken over. Who is here already is served to the end, and
  // sessions are moved.
  bool handed_over = false;
  Tracer* tracer = nullptr;  // null: nothing is traced
  ShortageLog shortages{};
  WaitingRoom waiting{};  // clients that ask nothing at the moment
  std::string hop{};      // the process's name among the hops of a request; empty: no loop is seen

  // No connection is kept for another request.
  bool keeps_none() const {
    return draining || (stopping != nullptr && stopping->load(std::memory_order_acquire));
  }

  bool refuses_new() const { return keeps_none() && !handed_over; }
};

// Counts in Home::busy while it lives.
class Busy {
 public:
  Busy() = default;

  explicit Busy(Home& home) : home_(&home) { ++home.busy; }

  Busy(Busy&& other) noexcept : home_(std::exchange(other.home_, nullptr)) {}

  Busy& operator=(Busy&& other) noexcept {
    std::swap(home_, other.home_);
    return *this;
  }

  ~Busy() {
    if (home_ != nullptr) --home_->busy;
  }

 private:
  Home* home_ = nullptr;
};

}  // namespace fairlead::edge
