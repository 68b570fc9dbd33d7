#pragma once
// What the admin endpoint may see and ask of the process. Implemented by edge; every call is made
// in the main thread.

#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/config.h"
#include "proxy/observe/event_stream.h"
#include "proxy/observe/lost_lines.h"
#include "proxy/observe/registry.h"
#include "proxy/observe/session_query.h"
#include "proxy/observe/trace_counts.h"

namespace fairlead::observe {

// How a server is. All but `ejected` can be set by a person or the API; the checks take one down,
// too, and what failed last is ejected.
enum class ServerState : std::uint8_t { ready, drain, down, ejected };

struct ServerStatus {
  std::string address;  // its name: "10.0.0.11:8080"
  ServerState state = ServerState::ready;
  std::uint32_t weight = 1;
  std::uint32_t sessions = 0;            // open ones, and requests under way
  bool up = true;                        // neither the checks nor the last tries speak against it
  std::string from{};                    // the name it was resolved from; empty: none
  ServerState set = ServerState::ready;  // what a person or the API set
  bool checked = false;                  // a health check has asked it
  std::string reason{};                  // why it is ejected or down
  std::optional<std::time_t> since{};    // when its state began
  double seconds_left = 0;               // ejected: until it is tried again
  std::string last_error{};
  std::time_t last_error_at = 0;  // meaningful with last_error
  std::uint64_t connect_failures = 0;
};

// How many servers are in each state, all backends together.
struct ServerCounts {
  std::uint32_t ready = 0;
  std::uint32_t ejected = 0;
  std::uint32_t down = 0;
  std::uint32_t drain = 0;
};

struct BackendStatus {
  std::string name;
  std::vector<ServerStatus> servers;
};

struct ListenerStatus {
  std::string address;
  bool tls = false;
};

struct CertificateStatus {
  std::string listener;
  std::vector<std::string> names;
  std::time_t not_after = 0;
};

struct ReloadStatus {
  bool ok = true;
  std::time_t at = 0;
  std::uint64_t succeeded = 0;  // since the start
  std::uint64_t failed = 0;
};

// Sessions that are being moved, from a server, a listener or a route, or all at the process's end.
struct DrainStatus {
  std::uint32_t id = 0;
  std::string what;         // "chat/10.0.0.11:8080", "listener 0.0.0.0:443", "route chat", "all"
  double rate = 0;          // sessions per second; 0: all at once
  std::uint32_t total = 0;  // sessions chosen
  std::uint32_t left = 0;   // of these, still open
  std::uint32_t told = 0;   // of these, told to go
  bool counted = false;     // false: the workers have not chosen yet
  std::time_t started = 0;
};

// The last hand-over to another process, or from one.
struct UpgradeStatus {
  enum class State : std::uint8_t { running, failed, done };

  State state = State::running;
  std::int64_t pid = 0;  // of the new process; 0: it could not be started
  std::string error;     // why it failed
};

struct Status {
  std::string version;
  std::int64_t pid = 0;
  std::time_t started = 0;
  double uptime = 0;  // seconds
  bool draining = false;
  std::uint32_t connections = 0;  // of clients
  std::uint32_t max_connections = 0;
  std::uint32_t sessions = 0;          // the servers' added up
  std::vector<std::uint32_t> workers;  // connections of each
  std::vector<ListenerStatus> listeners;
  std::optional<ReloadStatus> last_reload;  // nothing: there was none yet
  std::vector<DrainStatus> drains{};
  std::vector<CertificateStatus> certificates{};
  std::optional<UpgradeStatus> upgrade{};  // nothing: there was none
  TraceCounts tracing{};
  LostLines lost_lines{};
  ServerCounts servers{};
};

// What to change; what is absent stays.
struct ServerChange {
  std::optional<ServerState> state;
  std::optional<std::uint32_t> weight;  // 1 to 1000; counts for the next pick
  std::optional<conf::Rate> rate{};     // with ServerState::drain; per_second 0: all at once
};

// What can be drained beside a server. A listener goes by its address, a route by its name.
enum class DrainKind : std::uint8_t { listener, route };

struct DrainChange {
  bool drain = false;  // false: it takes new sessions again
  std::optional<conf::Rate> rate{};
};

// How a request to do something went.
struct Outcome {
  enum class Kind : std::uint8_t {
    done,
    not_found,    // no such backend, server, listener, route or drain
    refused,      // the state it is in does not allow it, or what it would lead to is wrong
    unavailable,  // this version cannot do it
  };

  Kind kind = Kind::done;
  std::string text;                   // what is wrong, for people
  std::vector<std::string> problems;  // of a configuration
  bool changed = true;                // done: false where it was so already
  std::uint32_t drain = 0;            // the drain it has led to, or was under way; 0: none
};

// A look into a session.
struct TapRequest {
  std::uint64_t conn_id = 0;
  std::size_t bytes = 0;  // of each payload
};

// If it is granted, with what is to be called with the stream the frames are to go to.
using TapReply =
    std::function<void(const Outcome&, std::function<void(std::shared_ptr<EventStream>)>)>;

class Control {
 public:
  virtual Status status() const = 0;
  virtual std::vector<BackendStatus> backends() const = 0;
  virtual CounterView counters() const = 0;

  // The counters of all workers added up, a JSON object.
  virtual std::string totals_json() const { return "{}"; }

  // Feeds it with events "tick" and "ends" from now on.
  virtual void watch(std::shared_ptr<EventStream> stream) = 0;
  virtual Outcome reload() = 0;
  // Ends the process as TERM does, after the answer; at that rate, if one is given. Draining
  // already: only the rate is another one.
  virtual Outcome drain(std::optional<conf::Rate> rate) = 0;

  // Begins to hand over to a new process; Status::upgrade tells how it goes.
  virtual Outcome upgrade() { return {Outcome::Kind::unavailable, "it cannot be upgraded", {}}; }

  virtual Outcome set_server(const std::string& backend, const std::string& server,
                             const ServerChange& change) = 0;
  virtual Outcome set_drained(DrainKind kind, const std::string& name,
                              const DrainChange& change) = 0;
  virtual std::vector<DrainStatus> drains() const = 0;
  // Stops it; what it drained takes new sessions again.
  virtual Outcome undo_drain(std::uint32_t id) = 0;

  // Where the answers about sessions go, later: the HTTP status and its JSON.
  using Reply = std::function<void(int status, std::string json)>;

  virtual void list_sessions(const SessionQuery& query, Reply reply) = 0;
  virtual void show_session(std::uint64_t id, Reply reply) = 0;
  virtual void close_session(std::uint64_t id, Reply reply) = 0;
  virtual void close_sessions(const SessionFilter& filter, Reply reply) = 0;

  // `reply` may be called later.
  virtual void tap(const TapRequest&, TapReply reply) {
    reply({Outcome::Kind::unavailable, "nobody can look into sessions here", {}}, nullptr);
  }

 protected:
  ~Control() = default;
};

}  // namespace fairlead::observe
