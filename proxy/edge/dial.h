#pragma once
// Gets a connection to one of a backend's servers: picks, connects with a deadline, and tries
// another as long as nothing was sent. Each server is tried once; no new try begins after kTryFor
// times the connect deadline.

#include <memory>
#include <vector>

#include "proxy/balance/pool.h"
#include "proxy/net/connector.h"
#include "proxy/rules/failure.h"

namespace fairlead::edge {

class Dial final : net::Connector::Handler {
 public:
  class Handler {
   public:
    virtual void on_dialed(std::unique_ptr<net::Stream> stream, balance::Lease lease) = 0;
    // no_server, backend_unreachable, backend_connect_timeout, out_of_file_descriptors
    virtual void on_dial_failed(rules::Cause cause) = 0;

   protected:
    ~Handler() = default;
  };

  Dial(net::Loop& loop, Handler& handler)
      : loop_(loop), handler_(handler), connector_(loop, *this) {}

  // The outcome may come from within this call.
  void start(std::shared_ptr<balance::Pool> pool, const balance::Preference& preference,
             conf::Millis connect_timeout);
  // No outcome will come any more.
  void cancel();

 private:
  static constexpr int kTryFor = 3;

  void try_next(rules::Cause if_none);
  void on_connected(std::unique_ptr<net::Stream> stream) override;
  void on_connect_failed(int error_number) override;

  net::Loop& loop_;
  Handler& handler_;
  net::Connector connector_;
  std::shared_ptr<balance::Pool> pool_;
  balance::Preference preference_{balance::kNoServer};
  conf::Millis connect_timeout_{0};
  net::TimePoint last_try_;
  std::vector<std::size_t> tried_;
  balance::Lease lease_;
};

}  // namespace fairlead::edge
