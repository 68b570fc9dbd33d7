#include "proxy/edge/watchdog.h"

#include <algorithm>

#include "proxy/edge/worker.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {

Watchdog::Watchdog(net::Loop& loop, net::Mailbox& mailbox, Shared& shared,
                   std::chrono::microseconds interval, std::function<void()> alive)
    : loop_(loop),
      mailbox_(mailbox),
      shared_(shared),
      interval_(interval),
      alive_(std::move(alive)),
      answered_(shared.workers.size(), true),
      timer_(loop.timers(), *this) {
  on_timer(timer_);
}

// Who has not answered the last time is not asked again: its mailbox would fill up.
void Watchdog::on_timer(net::Timer&) {
  timer_.arm(loop_.now() + interval_);
  const auto silent = std::find(answered_.begin(), answered_.end(), false);
  if (silent != answered_.end()) {
    observe::log_error("worker {} does not answer: no sign of life is given",
                       silent - answered_.begin());
    return;
  }
  for (std::size_t i = 0; i < answered_.size(); ++i) {
    answered_[i] = false;
    shared_.workers[i]->ask([this, i] { mailbox_.post([this, i] { answered(i); }); });
  }
}

void Watchdog::answered(std::size_t worker) {
  answered_[worker] = true;
  if (std::find(answered_.begin(), answered_.end(), false) == answered_.end()) alive_();
}

}  // namespace fairlead::edge
