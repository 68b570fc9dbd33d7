#pragma once
// The access log: one JSON object a line (interface: section 7). Each worker gathers its lines and
// hands them over once a turn; a thread of the logger writes them, so that a slow disk or a full
// pipe never stops a worker. When the queue is full the oldest lines are dropped rather than
// sessions delayed.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "conf/ip.h"

namespace spdlog {
class logger;
}

namespace fairlead::observe {

// One line. Empty strings and absent values are left out.
struct Entry {
  std::string_view event;  // open, update, close, http
  std::uint64_t conn_id = 0;
  std::string_view request_id;
  const conf::Ip* client_ip = nullptr;  // null: a unix socket's peer
  std::string_view listener;
  std::string_view tls;  // TLSv1.2, TLSv1.3
  std::string_view sni;
  std::string_view method;  // of an http event
  std::string_view host;
  std::string_view path;  // without the query: tokens live there
  std::string_view route;
  std::string_view backend;
  std::string_view server;
  int status = 0;
  std::string_view origin;
  std::string_view subprotocol;
  std::string_view extensions;
  std::optional<double> handshake_ms;
  std::optional<double> duration_ms;

  struct Traffic {
    std::uint64_t msgs_in = 0;  // data messages from the client
    std::uint64_t msgs_out = 0;
    std::uint64_t bytes_in = 0;  // their payload
    std::uint64_t bytes_out = 0;
  };

  std::optional<Traffic> traffic;          // of a session
  std::optional<std::uint64_t> bytes_in;   // of an http event: body bytes from the client
  std::optional<std::uint64_t> bytes_out;  // of an http event: body bytes to the client
  std::optional<std::uint32_t> pings;      // sent by Fairlead
  std::optional<double> rtt_ms;            // the client's, last measured
  std::uint32_t reattached = 0;            // how often the session went on at another server
  int close_code = 0;                      // 0: there was none, which a close line says by null
  std::string_view close_reason;
  std::string_view closed_by;  // client, backend, proxy
  std::string_view reason;     // one of failure.h's words
  std::string_view detail;     // which rule was broken, or what was wrong, in a few words
};

// The line with its newline. Text that is not UTF-8 has its bad bytes replaced.
void append_line(const Entry& entry, std::chrono::system_clock::time_point now, std::string& out);

// What a session has besides its line while it is open.
struct LiveSession {
  std::chrono::system_clock::time_point opened;
  double idle_ms = 0;
  std::uint64_t buffered_bytes = 0;  // held back for slow peers
  std::optional<double> msgs_per_s;  // both ways
  std::optional<double> bytes_per_s;
  bool ending = false;  // its Close is out
};

// A JSON object of both.
void append_session(const Entry& entry, const LiveSession& live, std::string& out);

// One per worker; not thread-safe. A null logger: off.
class AccessLog {
 public:
  // Handed over as soon as so much is gathered, in bytes.
  static constexpr std::size_t kBatch = 16 * 1024;

  explicit AccessLog(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}

  bool on() const { return logger_ != nullptr; }

  void write(const Entry& entry);
  // Hands over what was gathered.
  void flush();

  std::size_t waiting() const { return lines_.size(); }  // bytes gathered

 private:
  std::shared_ptr<spdlog::logger> logger_;
  std::string lines_;
};

}  // namespace fairlead::observe
