#pragma once
// One request and its answer from a backend: dials, sends the request, checks the answer's head,
// then streams the two bodies or hands over to a tunnel. Owned by the client's Connection, which
// outlives it and destroys it from outside its handlers.
//
// Nothing is copied through: heads are written anew from what was parsed, bodies are framed anew
// (wire::BodyTransfer). The client's connection is read by its owner, who gives the request's body
// to take_body(). A server's connection goes back to the IdlePool only if both messages ended on it
// to the byte; to the owner's PinnedServer if it may have been authenticated as this client.

#include <memory>
#include <optional>
#include <string>

#include "proxy/edge/binding.h"
#include "proxy/edge/dial.h"
#include "proxy/edge/home.h"
#include "proxy/edge/identity.h"
#include "proxy/edge/search.h"
#include "proxy/observe/span.h"
#include "proxy/rules/forward.h"
#include "proxy/rules/minimum_rate.h"
#include "proxy/wire/body_transfer.h"
#include "proxy/wire/handshake.h"
#include "proxy/wire/head_parser.h"

namespace fairlead::edge {

// A parsed request and what was decided about it.
struct Request {
  std::string bytes;  // the head; `head` points into it
  wire::RequestHead head;
  wire::Framing body;
  rules::Peer peer;
  rules::Client client;
  std::string request_id;
  const RouteRuntime* route = nullptr;
  IpHold ip_hold;
  net::TimePoint began;
  bool websocket = false;
  bool keep_alive = false;                   // the client's connection may serve another request
  std::optional<rules::TraceContext> trace;  // nothing: what came of one passes as it is
  std::unique_ptr<observe::Span> span;       // null: not sampled
};

class Exchange final : Dial::Handler, net::Stream::Handler, net::Timer::Handler {
 public:
  class Owner {
   public:
    virtual net::Stream& client() = 0;
    // What came behind the request's head and was not given to take_body(), or not taken by it. The
    // exchange takes the body off its front.
    virtual std::string& ahead() = 0;
    // The server's connection that only this client's requests may use.
    virtual PinnedServer& pinned() = 0;
    // holds_body() may have changed.
    virtual void update_reading() = 0;
    // Nothing of an answer was sent to the client yet: answer in our own words.
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
  // The client is perhaps not read any more: then it is asked after.
  void watch_client();
  // Bytes from the client, in the loop's relay buffer, which is used up. How many belong to the
  // request's body and were passed on; the exchange may be over afterwards.
  std::size_t take_body(std::span<char> bytes);

  // The request's body cannot be passed on at the moment: the client should not be read.
  bool holds_body() const;

  // So many of the bytes to come from the client belong to the request's body for certain, and can
  // be taken now.
  std::uint64_t body_to_come() const;

  // The client has ended its direction: whether it still waits for its answer (rules::still_waits).
  bool client_still_waits() const;

  // The request came in full.
  bool upload_complete() const { return upload_.state() == wire::BodyTransfer::State::complete; }

  Request& request() { return *request_; }

  int status() const { return status_; }  // of the backend's answer, 0 until its head was sent

  std::uint64_t bytes_in() const { return upload_.payload_bytes(); }

  // Of the answer's body: what the client has got, if it was cut off.
  std::uint64_t bytes_out(bool cut_off) const;

  std::string_view server_name() const { return server_name_; }

  // What was wrong with the server, in a few words; "" where nothing was.
  const std::string& detail() const { return detail_; }

  // Within exchange_switched:
  std::unique_ptr<net::Stream> take_backend() { return std::move(backend_); }

  balance::Lease take_lease() { return std::move(lease_); }

  std::string_view early_bytes() const { return early_; }  // what came behind the 101

  const wire::Agreed& agreed() const { return agreed_; }

  std::unique_ptr<Handshake> take_handshake() { return std::move(handshake_); }

 private:
  struct Deadline {
    net::TimePoint at = net::TimePoint::max();
    rules::Cause cause = rules::Cause::done;
    net::Stream* taker =
        nullptr;  // who is to take something within write_stall: then `at` is a look
  };

  void on_dialed(std::unique_ptr<net::Stream> stream, balance::Lease lease, bool reused) override;
  void on_dial_failed(rules::Cause cause) override;
  void on_readable(net::Stream& stream) override;
  void on_drained(net::Stream& stream) override;
  void on_timer(net::Timer& timer) override;

  // exchange_request.cc: the request on its way to the server
  std::size_t prefer_pinned();
  void dial(const balance::Preference& preference, Dial::Reuse reuse);
  void send_request();
  void backend_broke();
  bool may_retry() const;
  void retry();

  bool uploading() const { return upload_.state() == wire::BodyTransfer::State::more; }

  // exchange_answer.cc: the answer on its way to the client
  void read_head(std::span<char> bytes);
  void on_head(std::string_view head, std::span<char> rest);
  void pass_interim(const wire::ResponseHead& head);
  void switch_protocols(const wire::ResponseHead& head, std::string_view rest);
  void bad_answer(const char* flaw);
  void begin_answer(const wire::ResponseHead& head, std::span<char> rest);
  void send_answer_head(const wire::ResponseHead& head, const wire::Framing& body);
  wire::Framing outgoing(const wire::Framing& body);
  void note_reuse(const wire::ResponseHead& head, const wire::Framing& body);
  void relay_answer(std::span<char> bytes);
  void after_answer_bytes(bool all_taken);
  void answer_complete(bool all_taken);
  void backend_ended(bool clean);
  void release_backend(bool all_taken);

  // exchange.cc: deadlines and endings
  Deadline deadline() const;
  net::TimePoint next_watch() const;
  void arm();
  bool waits_for_100() const;

  // exchange_rates.cc
  void judge_rates();
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
  std::string_view server_name_;  // the pool's, which the route keeps alive
  std::unique_ptr<net::Stream> backend_;
  std::unique_ptr<net::Stream> stale_;  // closed; destroyed outside of its handler
  wire::BodyTransfer upload_;
  net::TimePoint sent_;           // the last part of the request, to the server
  rules::MinimumRate body_rate_;  // of the request's body from the client
  rules::MinimumRate send_rate_;  // of the answer to the client
  std::size_t held_ = 0;          // for the client, when send_rate_ was last looked at
  std::string head_bytes_;        // of the answer's head, when it does not come at once
  wire::HeadScanner scanner_;
  std::optional<wire::BodyTransfer> answer_;  // its body; there once its head was good
  conf::Millis keep_{0};  // how long the server's connection may be kept; 0: not at all
  unsigned interim_ = 0;
  int status_ = 0;
  bool reused_ = false;         // the server's connection had served before
  bool heard_ = false;          // the server said something
  bool body_begun_ = false;     // bytes of the request's body were sent
  bool continued_ = false;      // a 100 was passed on
  bool upload_broken_ = false;  // the server takes no more of it; its answer may come yet
  bool contradicted_ = false;   // an answer announced a body that its status rules out
  bool endless_ = false;        // the answer has no length
  bool until_close_ = false;    // the answer's body ends with the server's connection
  bool flushing_ = false;       // the answer is complete, but the client has not taken it all
  bool over_ = false;
  bool private_ = false;  // nobody else's request may follow on the server's connection
  wire::Agreed agreed_;
  std::unique_ptr<Handshake> handshake_;  // of a route that repeats it (on_backend_loss)
  std::string early_;
  std::string detail_;
};

}  // namespace fairlead::edge
