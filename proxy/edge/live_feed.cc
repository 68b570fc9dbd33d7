#include "proxy/edge/live_feed.h"

#include <algorithm>
#include <utility>

namespace fairlead::edge {
namespace {

std::string ends_event(const std::vector<observe::End>& ends) {
  return observe::event_text("ends", observe::ends_json(ends));
}

// The oldest of a kind that has more than its share go.
void trim(std::deque<observe::End>& ends) {
  for (const bool usual : {true, false}) {
    const auto is_kind = [usual](const observe::End& end) {
      return observe::is_usual(end.cause) == usual;
    };
    auto excess = std::count_if(ends.begin(), ends.end(), is_kind) -
                  static_cast<std::ptrdiff_t>(observe::RecentEnds::kEach);
    std::erase_if(ends, [&](const observe::End& end) { return is_kind(end) && excess-- > 0; });
  }
}

}  // namespace

LiveFeed::LiveFeed(net::Loop& loop, net::Mailbox& mailbox, const Shared& shared,
                   std::function<std::string()> tick)
    : loop_(loop),
      mailbox_(mailbox),
      shared_(shared),
      tick_(std::move(tick)),
      timer_(loop.timers(), *this) {}

void LiveFeed::join(std::shared_ptr<observe::EventStream> stream) {
  stream->send(observe::event_text("tick", tick_()));
  if (!known_.empty()) stream->send(ends_event({known_.begin(), known_.end()}));
  streams_.push_back(std::move(stream));
  if (timer_.armed()) return;
  ask_workers();
  timer_.arm(loop_.now() + kInterval);
}

void LiveFeed::on_timer(net::Timer&) {
  // A silence tells who is gone.
  std::erase_if(streams_, [](const auto& stream) { return !stream->send(""); });
  if (streams_.empty()) return;
  send(observe::event_text("tick", tick_()));
  ask_workers();
  timer_.arm(loop_.now() + kInterval);
}

void LiveFeed::send(const std::string& event) {
  std::erase_if(streams_, [&](const auto& stream) { return !stream->send(event); });
}

void LiveFeed::ask_workers() {
  seen_.resize(shared_.workers.size());
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    // The mailbox outlives the workers' threads, but not what waits in it this object.
    shared_.workers[i]->recent_ends([&mailbox = mailbox_, self = std::weak_ptr(self_), i,
                                     seen = seen_[i]](const observe::RecentEnds& ends) {
      auto news = ends.since(seen);
      if (news.empty()) return;
      mailbox.post([self, i, news = std::move(news)] {
        if (const auto feed = self.lock()) (*feed)->take(i, news);
      });
    });
  }
}

void LiveFeed::take(std::size_t worker, std::vector<observe::End> news) {
  std::erase_if(news, [&](const observe::End& end) { return end.number <= seen_[worker]; });
  if (news.empty()) return;
  seen_[worker] = news.back().number;
  known_.insert(known_.end(), news.begin(), news.end());
  std::stable_sort(known_.begin(), known_.end(),
                   [](const observe::End& a, const observe::End& b) { return a.at_ms < b.at_ms; });
  trim(known_);
  send(ends_event(news));
}

}  // namespace fairlead::edge
