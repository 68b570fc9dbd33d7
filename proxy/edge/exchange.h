#pragma once
// One request and its answer from a backend: dials, sends the head, checks the answer's head, then
// streams the body or hands over to a tunnel. A server connection serves one request. Owned by the
// client's Connection, which outlives it and destroys it from outside its handlers.

#include <memory>
#include <optional>
#include <string>

#include "proxy/edge/binding.h"
#include "proxy/edge/dial.h"
#include "proxy/edge/home.h"
#include "proxy/edge/identity.h"
#include "proxy/rules/forward.h"
#include "proxy/wire/body_scanner.h"
#include "proxy/wire/handshake.h"
#include "proxy/wire/head_parser.h"

namespace fairlead::edge {

// A parsed request and what was decided about it.
struct Request {
  std::string bytes;  // the head; `head` points into it
  wire::RequestHead head;
  rules::Peer peer;
  rules::Client client;
  std::string request_id;
  const RouteRuntime* route = nullptr;
  IpHold ip_hold;
  net::TimePoint began;
  bool websocket = false;
  bool keep_alive = false;  // the client's connection may serve another request
};

class Exchange final : Dial::Handler, net::Stream::Handler, net::Timer::Handler {
 public:
  class Owner {
   public:
    virtual net::Stream& client() = 0;
    // Nothing was sent to the client yet: answer in our own words.
    virtual void exchange_refused(rules::Cause cause) = 0;
    // The 101 was checked and written. What the tunnel needs is taken from the exchange.
    virtual void exchange_switched() = 0;
    // The answer is complete, or cut off by `cause`: then the client's connection has to end.
    virtual void exchange_done(rules::Cause cause) = 0;

   protected:
    ~Owner() = default;
  };

  Exchange(Home& home, Owner& owner, std::unique_ptr<Request> request);
  ~Exchange();

  void start();
  // The client is gone: nothing of the owner is called any more.
  void cancel();
  // The client took what was held back.
  void on_client_drained();

  Request& request() { return *request_; }

  int status() const { return status_; }  // of the backend's answer, 0 before it

  std::uint64_t body_bytes() const { return body_ ? body_->payload_bytes() : 0; }

  bool keep_alive() const { return request_->keep_alive; }

  bool answered() const { return answered_; }  // bytes went to the client

  std::string_view server_name() const { return server_name_; }

  // Within exchange_switched:
  std::unique_ptr<net::Stream> take_backend() { return std::move(backend_); }

  balance::Lease take_lease() { return std::move(lease_); }

  std::string_view early_bytes() const { return early_; }  // what came behind the 101

  const wire::Agreed& agreed() const { return agreed_; }

 private:
  void on_dialed(std::unique_ptr<net::Stream> stream, balance::Lease lease) override;
  void on_dial_failed(rules::Cause cause) override;
  void on_readable(net::Stream& stream) override;
  void on_drained(net::Stream& stream) override;
  void on_timer(net::Timer& timer) override;

  void read_head(std::string_view bytes);
  void on_head(std::string_view head, std::string_view rest);
  void switch_protocols(const wire::ResponseHead& head, std::string_view rest);
  void begin_body(const wire::ResponseHead& head, std::string_view rest);
  void relay_body(std::string_view bytes);
  void backend_ended(bool clean);
  void refuse(rules::Cause cause);
  void complete(rules::Cause cause);

  const conf::RouteTimeouts& timeouts() const { return request_->route->settings->timeouts; }

  Home& home_;
  Owner& owner_;
  std::unique_ptr<Request> request_;
  Busy busy_;
  Binding binding_;
  Dial dial_;
  net::Timer timer_;
  balance::Lease lease_;
  std::string server_name_;
  std::unique_ptr<net::Stream> backend_;
  std::string answer_;  // the head as it arrives
  wire::HeadScanner scanner_;
  unsigned interim_ = 0;
  int status_ = 0;
  bool answered_ = false;
  bool over_ = false;
  bool until_close_ = false;
  std::optional<wire::BodyScanner> body_;
  wire::Agreed agreed_;
  std::string early_;
};

}  // namespace fairlead::edge
