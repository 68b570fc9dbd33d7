#pragma once
// A client's connection from accept on: PROXY header, TLS, request heads, our own answers,
// keep-alive. What a request leads to is an Exchange; what a handshake leads to is a Tunnel, which
// takes the stream and its place.

#include <memory>
#include <string>

#include "proxy/edge/answer.h"
#include "proxy/edge/exchange.h"
#include "proxy/edge/read_ahead.h"
#include "proxy/edge/tunnel.h"
#include "proxy/net/socket.h"
#include "proxy/rules/admission.h"

namespace fairlead::edge {

class Connection final : public Link,
                         net::Stream::Handler,
                         net::Timer::Handler,
                         WaitingRoom::Seat,
                         public Exchange::Owner {
 public:
  // What becomes of it at max_connections.
  enum class Welcome : std::uint8_t {
    served,
    told,         // there is none: it gets 503 at once, and a moment to read that
    turned_away,  // ... and is closed at once
  };

  struct Arrival {
    std::shared_ptr<const Runtime> runtime;
    std::size_t listener = 0;
    net::Fd fd;
    net::PeerAddress peer;
    Place place;
    Welcome welcome = Welcome::served;
  };

  Connection(Home& home, Arrival arrival);
  ~Connection() override;

  void start();

  void drain(net::TimePoint deadline) override;
  void force_end() override;

 private:
  enum class Phase : std::uint8_t {
    proxy_header,
    tls,
    head,      // waits for a request, or for the rest of its head
    exchange,  // one is under way
    between,   // an answer is out; what comes next is looked at in resume(), outside of the
               // exchange's handlers, and once the client has taken it
    closing,   // the last answer is out: waits for the client's end, so that it is read (RFC
               // 9112 9.6)
  };

  void on_readable(net::Stream& stream) override;
  void on_drained(net::Stream& stream) override;
  void on_timer(net::Timer& timer) override;

  void resume() override;

  net::Stream& client() override { return *client_; }

  std::string& ahead() override { return in_.text(); }

  PinnedServer& pinned() override { return pinned_; }

  void update_reading() override;

  void exchange_refused(rules::Cause cause) override;
  void exchange_switched() override;
  void exchange_done(rules::Cause cause) override;

  void read_proxy_header(std::string_view bytes);
  void begin_tls_or_head();
  void wait_for_head();
  std::size_t read_room() const;
  void take(std::span<char> bytes);
  void read_head(std::string_view bytes);
  void read_kept_head();
  void take_head(std::string bytes);
  void on_head(std::string bytes);
  bool catch_up();
  bool check_listener(Request& request);
  void admit(std::unique_ptr<Request> request);
  bool is_drained(const Request& request) const;
  void next_request();
  void client_ended(bool clean);

  // connection_limits.cc
  bool still_waits() const;
  void half_close();
  void turn_away();
  void shed() override;
  void give_place_back();

  void answer(rules::Cause cause, Request* request, conf::Millis retry_after = {},
              std::string_view location = {});
  void close_gently();
  void vanish();
  bool may_keep(const Request* request) const;
  std::string new_request_id();
  void linger();
  net::TimePoint linger_until() const;

  conf::Millis write_stall() const { return runtime_->config().timeouts.route.write_stall; }

  void count_tls();
  void count_http(rules::Cause cause, int status, const Request* request);
  void log_http(rules::Cause cause, int status, std::uint64_t body_bytes, const Request* request,
                std::string_view answer_id = {});
  void log_exchange(rules::Cause cause);
  Identity make_identity(const Request* request, const wire::Agreed* agreed,
                         std::string_view answer_id = {}) const;

  const ListenerRuntime& listener() const { return runtime_->listeners()[listener_]; }

  Home& home_;
  std::shared_ptr<const Runtime> runtime_;
  std::size_t listener_;
  Place place_;
  std::unique_ptr<net::Stream> client_;
  rules::Peer peer_;
  std::uint64_t conn_id_;
  Welcome welcome_;
  Phase phase_ = Phase::head;
  bool first_request_ = true;
  bool upload_unread_ = false;  // closing, and the client may still be sending
  bool half_closed_ = false;    // the client has ended its direction, and waits for an answer
  net::Timer timer_;
  net::TimePoint began_;
  net::TimePoint closing_since_;
  // Read and not yet used: a head that did not come at once, or what follows the request's head.
  ReadAhead in_;
  std::size_t scanned_ = 0;  // of it, by scanner_
  wire::HeadScanner scanner_;
  PinnedServer pinned_;
  std::unique_ptr<Exchange> exchange_;
};

}  // namespace fairlead::edge
