#pragma once
// What is counted (interface: section 8). A worker counts in objects of its own; a route's live as
// long as anybody uses the route, and longer, so that a reload starts no count anew. The main
// thread makes and reads them.

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/observe/counters.h"
#include "proxy/rules/failure.h"

namespace fairlead::observe {

// How a handshake went.
enum class SessionResult : std::uint8_t {
  opened,
  refused,    // by Fairlead: its rules and limits
  failed,     // the backend was not there or did not do its part
  declined,   // the backend answered, but not with 101
  abandoned,  // the client did not wait for the answer
};

inline constexpr std::array<std::string_view, 5> kSessionResults{"opened", "refused", "failed",
                                                                 "declined", "abandoned"};

// A limit that was reached and what followed: the rows of fairlead_limit_total.
enum class LimitHit : std::uint8_t {
  handshakes_per_ip,
  connections_per_ip,
  max_connections,
  max_sessions,
  max_message,
  max_message_from_backend,
  max_frame,
  messages_throttled,
  messages_exceeded,
  bytes_throttled,
  bytes_exceeded,
  control_frames_throttled,
  write_stall,
  idle_timeout,
  max_lifetime,
};

struct LimitWords {
  std::string_view limit;  // the configuration's key
  std::string_view action;
};

inline constexpr std::array<LimitWords, 15> kLimitWords{{{"handshakes_per_ip", "refuse"},
                                                         {"connections_per_ip", "refuse"},
                                                         {"max_connections", "refuse"},
                                                         {"max_sessions", "refuse"},
                                                         {"max_message", "close"},
                                                         {"max_message_from_backend", "close"},
                                                         {"max_frame", "close"},
                                                         {"messages", "throttle"},
                                                         {"messages", "close"},
                                                         {"bytes", "throttle"},
                                                         {"bytes", "close"},
                                                         {"control_frames", "throttle"},
                                                         {"write_stall", "close"},
                                                         {"idle_timeout", "close"},
                                                         {"max_lifetime", "close"}}};

// What a worker counts by itself.
struct alignas(64) WorkerCounters {
  void refuse(rules::Cause cause) { refused[static_cast<std::size_t>(cause)].add(); }

  void limit(LimitHit hit) { limits[static_cast<std::size_t>(hit)].add(); }

  // Counts it where the cause tells which limit it was.
  void limit_of(rules::Cause cause);

  std::array<Counter, rules::kCauseCount> refused;
  std::array<Counter, kLimitWords.size()> limits;
  std::array<Counter, 2> dead_peers;                     // client, backend
  std::array<std::array<Counter, 2>, 2> tls_handshakes;  // 1.2, 1.3; full, resumed
  std::array<Latencies, 2> ping_rtt;                     // client, backend
  Latencies handshake;
  Latencies connect;
  Durations session_duration;
};

// What a worker counts of a route.
struct alignas(64) RouteTally {
  // From the client (0) and from the backend (1). First, in a cache line of its own: all that is
  // touched for each piece of a session's bytes.
  struct Direction {
    Counter bytes;
    Counter texts;  // messages
    Counter binaries;
    Counter continuations;  // frames
  };

  enum Control : std::uint8_t { close, ping, pong };

  void end(SessionResult result) { sessions[static_cast<std::size_t>(result)].add(); }

  std::array<Direction, 2> traffic;
  std::array<std::array<Counter, 3>, 2> controls;
  std::array<Counter, kSessionResults.size()> sessions;
  std::array<std::array<Counter, 3>, ValueTable::kSlots + 1> closes;  // by code, then rules::Party
  std::array<Counter, ValueTable::kSlots + 1> requests;               // by status
  std::array<Counter, rules::kCauseCount> ends;                       // sessions, by rules::Cause
};

static_assert(sizeof(std::array<RouteTally::Direction, 2>) == 64);

// A route's counts, of all workers.
class RouteCounters {
 public:
  static constexpr unsigned kMostWorkers = 256;  // as of `workers` in the configuration

  explicit RouteCounters(std::string name);
  ~RouteCounters();
  RouteCounters(const RouteCounters&) = delete;
  RouteCounters& operator=(const RouteCounters&) = delete;

  const std::string& name() const { return name_; }

  // That of a worker, for its thread.
  RouteTally& of(unsigned worker);

  // Calls f(const RouteTally&) for each worker that has counted something. Any thread.
  template <class F>
  void for_each(F f) const {
    const unsigned end = end_.load(std::memory_order_acquire);
    for (unsigned i = 0; i < end; ++i) {
      if (const RouteTally* one = tallies_[i].load(std::memory_order_acquire)) f(*one);
    }
  }

  ValueTable codes;
  ValueTable statuses;

 private:
  const std::string name_;
  std::array<std::atomic<RouteTally*>, kMostWorkers> tallies_{};
  std::atomic<unsigned> end_{0};  // behind the last one that is there
};

using Gauge = std::atomic<std::uint32_t>;

// Names and their counts. Main thread only; what it gives may be used by any.
class Registry {
 public:
  // Counts of routes that are gone stay, but no more than so many series are kept for nobody.
  static constexpr std::size_t kMostKept = 256;

  std::shared_ptr<RouteCounters> route(const std::string& name);
  // Open sessions of a route with a backend, open connections of a listener.
  std::shared_ptr<Gauge> sessions(const std::string& route, const std::string& backend);
  std::shared_ptr<Gauge> connections(const std::string& listener);

  const std::map<std::string, std::shared_ptr<RouteCounters>>& routes() const { return routes_; }

  using Pair = std::pair<std::string, std::string>;

  const std::map<Pair, std::shared_ptr<Gauge>>& sessions() const { return sessions_; }

  const std::map<std::string, std::shared_ptr<Gauge>>& connections() const { return connections_; }

 private:
  std::map<std::string, std::shared_ptr<RouteCounters>> routes_;
  std::map<Pair, std::shared_ptr<Gauge>> sessions_;
  std::map<std::string, std::shared_ptr<Gauge>> connections_;
};

// What there is to be read.
struct CounterView {
  std::shared_ptr<const Registry> registry;  // null: nothing is counted
  std::vector<const WorkerCounters*> workers;
};

}  // namespace fairlead::observe
