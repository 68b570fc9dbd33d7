#pragma once
// Gets a connection to one of a backend's servers: picks, connects with a deadline, and tries
// another as long as nothing was sent. Each server is tried once; no new try begins after kTryFor
// times the connect deadline. A connection that an earlier exchange left open is as good as a new
// one, where the caller says so; one that the client has for itself is better than either.
//
// A server that is busy for the moment, or that we have no port left towards, is passed over and
// not held to have failed. Where we have no descriptor or memory left no other server is tried.

#include <memory>
#include <string>
#include <vector>

#include "proxy/balance/pool.h"
#include "proxy/edge/home.h"
#include "proxy/edge/idle_pool.h"
#include "proxy/edge/pinned_server.h"
#include "proxy/net/connector.h"
#include "proxy/rules/failure.h"

namespace fairlead::edge {

class Dial final : net::Connector::Handler {
 public:
  class Handler {
   public:
    // `reused`: the server may have given the connection up meanwhile.
    virtual void on_dialed(std::unique_ptr<net::Stream> stream, balance::Lease lease,
                           bool reused) = 0;
    // no_server, server_full, backend_unreachable, backend_connect_timeout, out_of_ports,
    // out_of_memory, out_of_file_descriptors
    virtual void on_dial_failed(rules::Cause cause) = 0;

   protected:
    ~Handler() = default;
  };

  enum class Reuse : std::uint8_t {
    no,
    yes,
    probed,  // only what is still quiet: the request cannot be sent twice
  };

  static constexpr int kTryFor = 3;

  Dial(Home& home, Handler& handler)
      : home_(home), handler_(handler), connector_(home.loop, *this) {}

  // The outcome may come from within this call. `tried`: servers, by index, that are out of the
  // question.
  void start(std::shared_ptr<balance::Pool> pool, const balance::Preference& preference,
             conf::Millis connect_timeout, Reuse reuse, std::vector<std::size_t> tried = {});
  // No outcome will come any more.
  void cancel();

  // What is looked at before any other connection; null, as at first: nothing. It outlives this.
  void use_first(PinnedServer* pinned) { pinned_ = pinned; }

  // The name of the server that the last connect failed with, "" for none; the pool's.
  std::string_view failed_server() const { return failed_server_; }

  // The error of the last connect that failed, "" for none.
  const std::string& failure() const { return failure_; }

 private:
  void try_next(rules::Cause if_none);
  std::unique_ptr<net::Stream> take_idle();
  void on_connected(std::unique_ptr<net::Stream> stream) override;
  void on_connect_failed(int error_number) override;
  void tell(rules::Cause cause, int error_number);

  Home& home_;
  Handler& handler_;
  net::Connector connector_;
  std::shared_ptr<balance::Pool> pool_;
  balance::Preference preference_{balance::kNoServer};
  conf::Millis connect_timeout_{0};
  PinnedServer* pinned_ = nullptr;
  std::string_view failed_server_;
  Reuse reuse_ = Reuse::no;
  net::TimePoint last_try_;
  net::TimePoint connecting_;  // since when
  std::vector<std::size_t> tried_;
  balance::Lease lease_;
  std::string failure_;
};

}  // namespace fairlead::edge
