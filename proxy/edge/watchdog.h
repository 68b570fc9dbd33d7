#pragma once
// The sign of life towards the service manager: given by the main thread, at half of the time it
// asks for, once every worker has answered. A worker that hangs ends it.

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

#include "proxy/net/mailbox.h"
#include "proxy/net/timer.h"

namespace fairlead::edge {

struct Shared;

class Watchdog final : net::Timer::Handler {
 public:
  // `alive` is called in the main thread, whose loop and mailbox these are; all outlive the
  // watchdog, which is made once the workers run.
  Watchdog(net::Loop& loop, net::Mailbox& mailbox, Shared& shared,
           std::chrono::microseconds interval, std::function<void()> alive);

 private:
  void on_timer(net::Timer& timer) override;
  void answered(std::size_t worker);

  net::Loop& loop_;
  net::Mailbox& mailbox_;
  Shared& shared_;
  const std::chrono::microseconds interval_;
  const std::function<void()> alive_;
  std::vector<bool> answered_;
  net::Timer timer_;
};

}  // namespace fairlead::edge
