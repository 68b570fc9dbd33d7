#pragma once
// Gives the TLS listeners new ticket keys when theirs have had their time (tls/ticket_keys.h). Main
// thread; the workers go on with the same rings.

#include <functional>

#include "proxy/edge/runtime.h"
#include "proxy/net/loop.h"
#include "proxy/observe/log.h"
#include "tls/ticket_keys.h"

namespace fairlead::edge {

class TicketRotation final : net::Timer::Handler {
 public:
  static constexpr conf::Millis kInterval{600'000};  // of looks

  // `runtime`: the newest snapshot.
  TicketRotation(net::Loop& loop, std::function<const Runtime&()> runtime)
      : loop_(loop), runtime_(std::move(runtime)), timer_(loop.timers(), *this) {
    timer_.arm(loop.now() + kInterval);
  }

 private:
  void on_timer(net::Timer&) override {
    for (const ListenerRuntime& listener : runtime_().listeners()) {
      const bool due = listener.tls && listener.tls->ticket_keys()->rotate(loop_.now());
      if (due) observe::log_debug("{}: a new key of session tickets", listener.name);
    }
    timer_.arm(loop_.now() + kInterval);
  }

  net::Loop& loop_;
  std::function<const Runtime&()> runtime_;
  net::Timer timer_;
};

}  // namespace fairlead::edge
