#pragma once
// Connects to one address with a deadline. One use, one outcome.

#include <event2/event_struct.h>

#include <memory>

#include "proxy/net/socket.h"
#include "proxy/net/stream.h"

namespace fairlead::net {

class Connector final : Timer::Handler {
 public:
  class Handler {
   public:
    virtual void on_connected(std::unique_ptr<Stream> stream) = 0;
    // errno: ECONNREFUSED, ETIMEDOUT for the deadline, EMFILE, ...
    virtual void on_connect_failed(int error_number) = 0;

   protected:
    ~Handler() = default;
  };

  Connector(Loop& loop, Handler& handler);
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  // Starts; the outcome comes from the loop, never from within this call. `address` is kind ip or
  // unix_path.
  void start(const conf::Address& address, TimePoint deadline);
  // No outcome will come any more.
  void cancel();

 private:
  void finish(int error_number);
  void on_timer(Timer& timer) override;

  Loop& loop_;
  Handler& handler_;
  Fd fd_;
  int early_error_ = 0;
  bool watching_ = false;
  Timer deadline_;
  event event_;
};

}  // namespace fairlead::net
