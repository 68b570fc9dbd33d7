#pragma once
// What the dashboard looks at: an event "tick" each second, made once for all streams, and events
// "ends" with the last refusals and closes, asked of the workers as often. Main thread; while
// nobody looks it does nothing.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/edge/worker.h"
#include "proxy/net/mailbox.h"
#include "proxy/observe/event_stream.h"
#include "proxy/observe/recent_ends.h"

namespace fairlead::edge {

class LiveFeed final : net::Timer::Handler {
 public:
  static constexpr conf::Millis kInterval{1000};

  // `tick` makes the event's data; `mailbox` is the loop's. All outlive it.
  LiveFeed(net::Loop& loop, net::Mailbox& mailbox, const Shared& shared,
           std::function<std::string()> tick);

  // It gets a tick and what is known at once.
  void join(std::shared_ptr<observe::EventStream> stream);

 private:
  void on_timer(net::Timer& timer) override;
  void send(const std::string& event);
  void ask_workers();
  void take(std::size_t worker, std::vector<observe::End> news);

  net::Loop& loop_;
  net::Mailbox& mailbox_;
  const Shared& shared_;
  const std::function<std::string()> tick_;
  std::vector<std::shared_ptr<observe::EventStream>> streams_;
  std::vector<std::uint64_t> seen_;  // the last End::number of each worker
  std::deque<observe::End> known_;   // usual ones and others, RecentEnds::kEach of each at most
  net::Timer timer_;
  std::shared_ptr<LiveFeed*> self_ = std::make_shared<LiveFeed*>(this);  // while it lives
};

}  // namespace fairlead::edge
