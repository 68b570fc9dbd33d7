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

#include "proxy/observe/event_stream.h"
#include "proxy/observe/trace_counts.h"

namespace fairlead::observe {

// What a person or the API set a server to.
enum class ServerState : std::uint8_t { ready, drain, down };

struct ServerStatus {
  std::string address;  // its name: "10.0.0.11:8080"
  ServerState state = ServerState::ready;
  std::uint32_t weight = 1;
  std::uint32_t sessions = 0;  // open ones, and requests under way
  bool up = true;              // the checks' verdict
};

struct BackendStatus {
  std::string name;
  std::vector<ServerStatus> servers;
};

struct ListenerStatus {
  std::string address;
  bool tls = false;
};

struct ReloadStatus {
  bool ok = true;
  std::time_t at = 0;
  std::uint64_t succeeded = 0;  // since the start
  std::uint64_t failed = 0;
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
  TraceCounts tracing;
};

// What to change; what is absent stays.
struct ServerChange {
  std::optional<ServerState> state;
  std::optional<std::uint32_t> weight;  // 1 to 1000; counts for the next pick
};

// How a request to do something went.
struct Outcome {
  enum class Kind : std::uint8_t {
    done,
    not_found,    // no such backend or server
    refused,      // the state it is in does not allow it, or what it would lead to is wrong
    unavailable,  // this version cannot do it
  };

  Kind kind = Kind::done;
  std::string text;                   // what is wrong, for people
  std::vector<std::string> problems;  // of a configuration
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
  virtual Outcome reload() = 0;
  // Ends the process as TERM does, after the answer. Draining already: does nothing.
  virtual Outcome drain() = 0;
  virtual Outcome set_server(const std::string& backend, const std::string& server,
                             const ServerChange& change) = 0;

  // `reply` may be called later.
  virtual void tap(const TapRequest&, TapReply reply) {
    reply({Outcome::Kind::unavailable, "nobody can look into sessions here", {}}, nullptr);
  }

 protected:
  ~Control() = default;
};

}  // namespace fairlead::observe
