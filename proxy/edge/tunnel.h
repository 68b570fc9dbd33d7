#pragma once
// A WebSocket session after its handshake: two byte streams and a frame scanner for each. Bytes
// pass as they came, one recv and one send a piece; pings, closes and limits fall between frames.
// All that an idle session keeps is in here.
//
// Ending (RFC 6455 7). Each side is told by a Close at a frame boundary of what goes to it; then
// its answer is awaited for bounds::kCloseWait. A graceful end tells the client first, and the
// server once the client has said all (tunnel_closing.cc). settle() is the only place that finds
// the session over.

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/edge/home.h"
#include "proxy/edge/identity.h"
#include "proxy/edge/keepalive.h"
#include "proxy/edge/leave.h"
#include "proxy/edge/own_pings.h"
#include "proxy/edge/session_tap.h"
#include "proxy/net/stream.h"
#include "proxy/observe/session_query.h"
#include "proxy/observe/span.h"
#include "proxy/rules/byte_pace.h"
#include "proxy/rules/close_order.h"
#include "proxy/rules/failure.h"
#include "proxy/rules/pacer.h"
#include "proxy/rules/token_bucket.h"
#include "proxy/wire/frame_scanner.h"

namespace fairlead::edge {

class Reattach;
struct Handshake;

// What a tunnel is made from; the handshake's last act.
struct TunnelParts {
  TunnelParts();
  TunnelParts(TunnelParts&&) noexcept;
  ~TunnelParts();

  std::unique_ptr<net::Stream> client;
  std::unique_ptr<net::Stream> backend;
  std::shared_ptr<const Runtime> runtime;  // keeps the route alive; null in tests
  const RouteRuntime* route = nullptr;
  balance::Lease lease;
  Place place;
  IpHold ip_hold;
  Identity identity;
  wire::ScanExtensions extensions;
  double handshake_ms = 0;
  std::unique_ptr<Handshake> handshake;  // with on_backend_loss = "reattach"
  std::unique_ptr<observe::Span> span;   // null: not traced
};

class Tunnel final : public Link, net::Stream::Handler, net::Timer::Handler {
 public:
  Tunnel(Home& home, TunnelParts parts);
  ~Tunnel() override;

  // Begins to relay; first what came behind the two heads already. Writes the opening line.
  void start(std::string_view from_client, std::string_view from_backend);

  // Leaves now; a message under way has until `deadline`.
  void drain(net::TimePoint deadline) override;
  void force_end() override;

  Tunnel* session() override { return this; }

  bool matches(const Scope& scope) const;
  // To go at a time of its own. False: it is ending already, or goes sooner for another job.
  bool leave(Leave leave);
  // Takes that back. False: too late, or another job's.
  bool stay(std::uint32_t job);

  // Goes at the end of a message, at the latest after conf::bounds::kCloseWait. False: it is ending
  // already.
  bool close(rules::Cause cause);

  // tunnel_view.cc: what is seen of it from outside
  std::uint64_t id() const { return identity_.conn_id; }

  bool matches(const observe::SessionFilter& filter) const;
  // Both ways.
  std::uint64_t messages() const;
  std::uint64_t bytes() const;
  // A JSON object: the access log's fields as they are now, and more. The rates as far as they are
  // known.
  std::string json(std::optional<double> messages_rate, std::optional<double> bytes_rate) const;

  // Since when nothing was said in either direction, but for pings.
  net::TimePoint idle_since() const { return last_data_; }

  net::TimePoint opened() const { return opened_; }

  // As they were when it began.
  const conf::Route& settings() const { return *route().settings; }

  // The tap gets to see every frame that comes from now on. False: another does.
  bool watch(std::unique_ptr<SessionTap> tap);
  // As the access log has it, without the newline.
  std::string opening_line() const;

 private:
  friend class Reattach;
  friend class SessionTap;

  enum Side : std::uint8_t { kClient = 0, kBackend = 1 };

  static Side other(Side side) { return side == kClient ? kBackend : kClient; }

  // One end of the session, and what comes from it.
  struct Peer {
    std::unique_ptr<net::Stream> stream;
    wire::FrameScanner scanner;
    wire::ScanCounters counters;
    std::unique_ptr<std::string> tail;  // an incomplete frame header or control frame
    net::TimePoint heard;
    net::TimePoint pinged;
    OwnPings pings;                // sent to it by us
    std::uint16_t close_due = 0;   // a Close with this code is to be sent at the next boundary
    bool waiting : 1 = false;      // for the Pong to the last of these
    bool ping_due : 1 = false;     // could not be sent yet
    bool close_sent : 1 = false;   // a Close went to it: nothing may follow
    bool close_got : 1 = false;    // its Close came: nothing more counts
    bool unreadable : 1 = false;   // broke the protocol: what it sends is not looked at any more
    bool finished : 1 = false;     // our FIN is out or queued
    bool ended : 1 = false;        // half-closed behind its Close: it may wait for the answer still
    bool gone : 1 = false;         // nothing more will come from it, nor is told to it
    bool ping_behind : 1 = false;  // the last was written behind bytes that have not arrived
    bool ping_untimed : 1 = false;  // ... or had not for a while: its RTT would say nothing
    bool spliced : 1 = false;       // its large frames may pass through a pipe
    bool bulk : 1 = false;          // its last frame was a large one
  };

  // The client's messages and bytes are limited, or it has sent too much: exists only where the
  // route sets such limits, or while something is held.
  struct Throttle {
    rules::TokenBucket messages;
    rules::BytePace bytes;
    bool limits_messages = false;
    bool limits_bytes = false;
    std::string held;  // read already, to be relayed when the bucket allows
    bool waiting = false;
    net::TimePoint resume;
    net::IoStatus end = net::IoStatus::ok;  // what stands behind `held`
  };

  void on_readable(net::Stream& stream) override;
  void on_drained(net::Stream& stream) override;
  void on_timer(net::Timer& timer) override;
  void resume() override;

  // tunnel.cc: the path of a byte
  std::span<const char> read_piece(Side side, net::Stream& stream);
  bool splice(Side side);
  void set_splicing();
  void relay(Side side, std::span<const char> bytes);
  bool relay_event(Side side, std::span<const char> frame, const wire::ScanResult& result);
  std::span<const char> finish_frame(Side side, std::span<const char> bytes,
                                     wire::ScanCounters& before);
  void forward(Side to, std::span<const char> bytes);
  void keep_tail(Peer& from, std::span<const char> bytes);

  bool dropping(Side from) const {
    return peers_[other(from)].close_sent || peers_[other(from)].gone;
  }

  bool is_our_pong(Peer& from, std::span<const char> frame, const wire::FrameHeader& header);
  void update_reading();

  Side side_of(const net::Stream& stream) const {
    return &stream == peers_[kClient].stream.get() ? kClient : kBackend;
  }

  const wire::ScanRules& rules_of(Side side) const {
    return side == kClient ? route().from_client : route().from_backend;
  }

  const RouteRuntime& route() const { return *identity_.route; }

  // tunnel_tap.cc: somebody looks
  bool tapped() const { return tap_ && tap_->wanted(); }

  void read_tapped(net::Stream& stream);
  void follow_new_server(std::string_view early);
  void unwatch();

  // tunnel_limits.cc: message, byte and control frame rates of the client
  void begin_limits();
  bool closes_on_excess() const;
  std::uint64_t messages_left(Side side, const wire::ScanCounters& before);
  void account(Side side, wire::ScanCounters& before);
  std::size_t most_to_read(Side side);
  void charge_bytes(Side side, std::size_t n);
  void exceeded(observe::LimitHit limit);
  bool too_many_controls(Side side, wire::ScanResult::Event event);
  void throttle_until(net::TimePoint resume, observe::LimitHit throttled);
  bool hold(std::span<const char> bytes, wire::ScanResult::Event event);
  void ended(Side side, net::IoStatus status);
  void resume_throttled();
  void pass_held();

  // tunnel_leaving.cc: an end between two messages
  void check_leaving();
  void stay_after_all();
  void leave_now();
  void leave_before(Side side);
  net::TimePoint next_leaving() const;
  bool begins_no_more(Side side) const;
  bool in_message(Side side) const;
  bool leaves() const;

  // tunnel_closing.cc: a graceful end, the client first
  net::Clock::duration answer_time(Side to) const;
  void check_close_order();
  void tell_server();
  void answer_overdue();
  void tell_server_at_last();

  // The client's limits hold. At a graceful end it is throttled no more, since what it had said
  // would be lost; a limit that closes still does.
  bool limited() const { return !ending_ || (close_order_.keeps_server() && closes_on_excess()); }

  // tunnel_reattach.cc: a session that outlives its server; reattach_ is there
  std::shared_ptr<balance::Pool> newest_pool() const;
  bool between_messages() const;
  bool half_said(Side side) const;
  bool may_reattach() const;
  bool held_instead(rules::Cause& cause);
  std::unique_ptr<net::Stream> hold();
  void detach(std::unique_ptr<net::Stream> server);
  bool moves_on();
  bool may_move_on() const;
  void old_server_speaks(net::Stream& server);
  void read_old_server();
  void old_server_done();
  void held_lost();
  void parted();
  bool close_while_held(Side from, std::uint16_t code);
  void end_held();
  void held_in_vain(rules::Cause cause);
  void stop_holding();
  void attached(std::unique_ptr<net::Stream> server, balance::Lease lease,
                const std::string& early);
  void not_attached(bool differs);

  // tunnel_delivery.cc: what a side takes, and whether it is there while it is not read
  void check_stall(Side side);
  net::TimePoint next_stall_look(const net::Stream& stream) const;
  void check_unread_client();
  void ping_unread_client(const KeepaliveSettings& settings);
  void watch_paused_client();
  net::TimePoint next_watch() const;
  bool moves_slowly() const;

  static bool is_underway(const Peer& peer) {
    return peer.waiting && peer.ping_behind && peer.heard < peer.pinged;
  }

  void follow_ping(Side side, const KeepaliveSettings& settings);
  net::TimePoint next_ping_look(Side side, const KeepaliveSettings& settings) const;
  void told_close(Side side);
  bool still_takes(Side side);
  void await_delivery();

  // tunnel_ending.cc: pings, deadlines, endings, the log
  void check_keepalive(Side side);
  void check_stuck(Side side, const KeepaliveSettings& settings);
  bool has_spoken(Peer& peer);
  void try_ping(Side to);
  void check_deadlines();
  net::TimePoint next_deadline();
  void end(rules::Cause cause);
  void begin_end(rules::Cause cause);
  void lost(Side side, bool listens = false);
  void abandon(Side side);
  void try_close(Side to, bool anyway = false);
  void close_frame(Side from, std::span<const char> frame, const wire::FrameHeader& header);
  void send_close(Side to, std::uint16_t code, std::string_view reason);
  void settle();
  bool said_all(Side side) const;
  bool over(Side side) const;
  void conclude();
  wire::Masking masking(Side to);

  // tunnel_counts.cc
  void count_control(Side side, observe::RouteTally::Control control);
  void count_passing(Side side, wire::ScanResult::Event event);
  void count_too_big(Side side, wire::Violation violation);
  void count_open();
  void count_close();
  observe::Entry line(std::string_view event) const;
  observe::Entry live_line(std::string_view event) const;
  void log_open();
  void log_update();
  void log_close();

  Home& home_;
  std::array<Peer, 2> peers_;
  std::unique_ptr<Throttle> throttle_;
  rules::Pacer controls_;  // the client's control frames
  std::unique_ptr<Leaving> leaving_;
  std::unique_ptr<Reattach> reattach_;
  net::Timer timer_;
  std::shared_ptr<const Runtime> runtime_;
  balance::Lease lease_;
  Place place_;
  IpHold ip_hold_;
  observe::RouteTally& tally_;
  Identity identity_;
  net::TimePoint opened_;
  net::TimePoint last_data_;
  net::TimePoint ending_since_;
  net::TimePoint ending_deadline_;
  std::unique_ptr<std::string> close_reason_;
  std::unique_ptr<observe::Span> span_;
  std::unique_ptr<SessionTap> tap_;
  float handshake_ms_;
  float rtt_ms_ = -1;
  std::uint32_t pings_ = 0;
  std::uint32_t updates_ = 0;  // intervals of the access log that are over
  std::uint16_t close_code_ = 0;
  wire::ScanExtensions extensions_;
  rules::CloseOrder close_order_;
  bool ending_ = false;
  rules::Cause cause_ = rules::Cause::internal_error;
};

}  // namespace fairlead::edge
