#pragma once
// A tunnel between two ends that the test holds: real streams over socket pairs, a loop turned by
// hand, a clock that moves when the test says so. Nothing sleeps. What is sent to and read from an
// end goes through plain non-blocking descriptors, and what an end received is parsed without any
// code under test.

#include <chrono>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/edge/tunnel.h"
#include "tests/support/frame_maker.h"
#include "tests/support/socket_pair.h"
#include "tls/engine.h"

namespace fairlead::test {

using namespace std::chrono_literals;

// A frame as an end of the session sees it, unmasked.
struct Seen {
  unsigned opcode = 0;
  std::string payload = {};
  bool fin = true;
  bool operator==(const Seen&) const = default;
};

struct Parsed {
  std::vector<Seen> frames;
  std::size_t rest = 0;  // bytes of an incomplete frame at the end
  std::string wrong;     // the first illegal thing, "" for none; bytes behind a Close are one
};

Parsed parse_frames(std::string_view bytes, bool masked);

std::ostream& operator<<(std::ostream& out, const Seen& seen);

// What the test holds of a pair: the end of a client or of a backend.
class FarEnd {
 public:
  enum class End { open, eof, reset };

  FarEnd(int fd, bool is_client) : fd_(fd), is_client_(is_client) {}

  ~FarEnd() { close(); }

  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;

  // Queued, and sent as far as the socket takes it.
  void send(std::string_view bytes);
  // A frame of this end, masked as it has to be.
  void send_frame(Make frame);

  void text(std::string_view payload) {
    send_frame({.opcode = 1, .payload = std::string(payload)});
  }

  void close_frame(unsigned code, std::string_view reason = "");
  // Moves bytes both ways; true when any moved.
  bool pump();

  void half_close();
  void close();
  // Closed with bytes unread or with SO_LINGER 0: the other end sees a reset.
  void reset();

  void stop_reading(bool stop) { stopped_ = stop; }

  void secure(std::unique_ptr<tls::Engine> engine) { engine_ = std::move(engine); }

  bool secured() const { return engine_ == nullptr || ready_; }

  void close_notify();

  const std::string& received() const { return received_; }

  std::string take() { return std::exchange(received_, {}); }

  std::size_t unsent() const { return outbox_.size(); }

  End end() const { return end_; }

  bool notified() const { return notified_; }  // TLS: close_notify came

  bool is_open() const { return fd_ >= 0; }

  int fd() const { return fd_; }

  // All frames so far; REQUIREs that they are legal.
  std::vector<Seen> frames() const;
  // Code of the Close that came: -1 none, 0 without a code; `reason` of it.
  int close_code() const;
  std::string close_reason() const;

 private:
  bool pull();
  bool push();

  int fd_;
  bool is_client_;
  bool stopped_ = false;
  bool greeted_ = false;
  bool ready_ = false;
  bool notified_ = false;
  End end_ = End::open;
  std::string outbox_;
  std::string received_;
  std::unique_ptr<tls::Engine> engine_;
};

struct FlowOptions {
  bool tcp = false;         // loopback TCP instead of AF_UNIX
  bool client_tls = false;  // the client's side of the tunnel is a TlsStream
  int buffer = 0;           // SO_SNDBUF of all four sockets; 0: the system's
  bool log = true;
};

std::string close_payload(unsigned code, std::string_view reason);

// The session of one test.
class Flow {
 public:
  explicit Flow(const conf::Route& route = {}, const FlowOptions& options = {});
  ~Flow();
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  // Begins the session, with what came behind the two heads.
  Flow& start(std::string_view from_client = "", std::string_view from_backend = "");

  // One turn of the loop; the ends are not touched.
  void turn() { loop.turn(false); }

  // Turns and moves bytes until nothing moves any more.
  Flow& pump();
  // Time goes by, by a little more than `by`.
  Flow& pass(std::chrono::milliseconds by);
  // Time goes by a step at a time, as it does for a process that is not stopped meanwhile.
  Flow& walk(std::chrono::milliseconds by, std::chrono::milliseconds step = 1s);

  bool alive() const { return links.size() != 0; }

  // What the tunnel holds back towards each end, in bytes.
  std::size_t held_for_client() const { return alive() ? to_client->held_bytes() : 0; }

  std::size_t held_for_backend() const { return alive() ? to_backend->held_bytes() : 0; }

  bool reads_client() const { return alive() && to_client->reading(); }

  bool reads_backend() const { return alive() && to_backend->reading(); }

  std::vector<std::string> lines() const;
  // The one closing line; REQUIREs that there is exactly one.
  std::string close_line() const;
  std::size_t close_lines() const;
  // Whether the closing line has "name":value; value as it stands in the JSON.
  bool logged(std::string_view name, std::string_view value) const;

  conf::Route route;
  net::Loop loop;
  edge::Links links;
  std::ostringstream log;
  observe::AccessLog access;
  edge::Home home;
  edge::RouteRuntime runtime;
  net::Stream* to_client = nullptr;  // valid while alive()
  net::Stream* to_backend = nullptr;
  std::unique_ptr<FarEnd> client;
  std::unique_ptr<FarEnd> backend;
  edge::Tunnel* tunnel = nullptr;  // valid while alive()

 private:
  void shake(net::TlsStream& stream);

  edge::TunnelParts parts_;
};

}  // namespace fairlead::test
