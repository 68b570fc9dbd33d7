#pragma once
// Looks for a server that agrees to a handshake as another one did before: dials, sends the same
// head, checks the answer; tries again until the deadline.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/edge/dial.h"
#include "proxy/wire/handshake.h"
#include "proxy/wire/head_parser.h"

namespace fairlead::edge {

// A handshake as its first server got it, and what that agreed to.
struct Handshake {
  std::string head;  // bounded: what we write of a head of kHeadBytes
  std::string subprotocol;
  std::string extensions;
  std::optional<std::uint64_t> key;  // of balance = "hash"

  // The head with `Fairlead-Reattached: n`.
  std::string repeated(std::uint32_t n) const;

  bool agrees_with(const wire::Agreed& agreed) const {
    return agreed.subprotocol == subprotocol && agreed.extensions == extensions;
  }
};

class Search final : Dial::Handler, net::Stream::Handler, net::Timer::Handler {
 public:
  class Owner {
   public:
    // It agreed as the first one did. `early`: what came behind its 101. The stream is not read.
    virtual void found(std::unique_ptr<net::Stream> server, balance::Lease lease,
                       std::string_view early) = 0;
    // None did in time. `differs`: one agreed to another subprotocol or other extensions.
    virtual void not_found(bool differs) = 0;

   protected:
    ~Owner() = default;
  };

  struct Task {
    std::shared_ptr<balance::Pool> pool;
    std::size_t without = balance::kNoServer;
    const Handshake* handshake = nullptr;  // outlives the search
    std::uint32_t number = 1;
    conf::Route::Reattach limits;
    std::uint32_t tried = 0;  // of limits.attempts
    conf::Millis connect_timeout{0};
  };

  Search(Home& home, Owner& owner);
  ~Search();

  // The outcome comes from the loop, never from within this call.
  void start(Task task);
  void cancel();

  bool over() const { return over_; }

  std::uint32_t tried() const { return task_.tried; }

 private:
  void on_dialed(std::unique_ptr<net::Stream> stream, balance::Lease lease, bool reused) override;
  void on_dial_failed(rules::Cause cause) override;
  void on_readable(net::Stream& stream) override;
  void on_drained(net::Stream& stream) override;
  void on_timer(net::Timer& timer) override;

  void dial();
  void look(std::string_view bytes);
  void look_at(std::string_view head, std::string_view rest);
  void next_server();
  void drop_server();
  void fail(bool differs);

  Home& home_;
  Owner& owner_;
  Task task_;
  Dial dial_;
  net::Timer timer_;
  wire::HeadScanner scanner_;
  std::string head_;  // of the answer
  std::unique_ptr<net::Stream> server_;
  std::unique_ptr<net::Stream> stale_;  // closed; destroyed outside of its handler
  balance::Lease lease_;
  std::vector<std::size_t> refused_;
  net::TimePoint deadline_;
  net::TimePoint next_;  // the answer has to be there, or the pause is over
  bool over_ = true;
};

}  // namespace fairlead::edge
