#include "proxy/edge/inspector.h"

#include <algorithm>
#include <queue>

#include "proxy/edge/tunnel.h"

namespace fairlead::edge {
namespace {

using Sort = observe::SessionQuery::Sort;

double seconds(net::Clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

// The first so many of what it is given.
class Best {
 public:
  explicit Best(std::size_t most) : most_(most) {}

  void add(const Ranked& one) {
    if (heap_.size() == most_ && !(one < heap_.top())) return;
    heap_.push(one);
    if (heap_.size() > most_) heap_.pop();
  }

  std::vector<Ranked> take() {
    std::vector<Ranked> all;
    for (; !heap_.empty(); heap_.pop()) all.push_back(heap_.top());
    std::reverse(all.begin(), all.end());
    return all;
  }

 private:
  std::size_t most_;
  std::priority_queue<Ranked> heap_;  // the last of them on top
};

}  // namespace

struct Inspector::Walk {
  Links::Cursor cursor;
  Visit visit;
  std::function<void()> done;
};

Inspector::Inspector(Home& home, net::Mailbox& mailbox)
    : home_(home), mailbox_(mailbox), timer_(home.loop.timers(), *this) {}

void Inspector::walk(Visit visit, std::function<void()> done) {
  step(std::shared_ptr<Walk>(
      new Walk{Links::Cursor(home_.links), std::move(visit), std::move(done)}));
}

void Inspector::step(const std::shared_ptr<Walk>& walk) {
  const net::TimePoint begun = net::Clock::now();
  for (std::size_t count = 1; count <= kSlice; ++count) {
    Link* link = walk->cursor.next();
    if (link == nullptr) return walk->done();
    Tunnel* session = link->session();
    if (session != nullptr && !session->dead() && !walk->visit(*session)) return walk->done();
    if (count % 16 == 0 && net::Clock::now() - begun > kSliceTime) break;
  }
  mailbox_.post([this, walk] { step(walk); });
}

void Inspector::rank(const observe::SessionQuery& query, std::function<void(Ranking)> done) {
  rank(query, std::move(done), false);
}

void Inspector::rank(const observe::SessionQuery& query, std::function<void(Ranking)> done,
                     bool again) {
  struct State {
    Best best;
    std::size_t total = 0;
    bool unknown = false;
  };

  auto state = std::make_shared<State>(State{Best(query.offset + query.limit)});
  const auto visit = [this, state, query](const Tunnel& session) {
    if (!session.matches(query.filter)) return true;
    ++state->total;
    double key = seconds(session.opened().time_since_epoch());
    if (query.sort == Sort::idle) key = seconds(session.idle_since().time_since_epoch());
    if (query.sort == Sort::rate) {
      const Sample& now = sample(session);
      key = -now.bytes_rate;
      if (!now.known) state->unknown = true;
    }
    state->best.add({key, session.id()});
    return true;
  };
  walk(visit, [this, state, query, done = std::move(done), again] {
    if (state->unknown && !again)
      return look_later([this, query, done] { rank(query, done, true); });
    done({state->best.take(), state->total});
  });
}

void Inspector::describe(std::vector<std::uint64_t> ids,
                         std::function<void(std::vector<Described>)> done) {
  std::sort(ids.begin(), ids.end());
  describe(std::make_shared<const std::vector<std::uint64_t>>(std::move(ids)), std::move(done),
           false);
}

void Inspector::describe(std::shared_ptr<const std::vector<std::uint64_t>> ids,
                         std::function<void(std::vector<Described>)> done, bool again) {
  struct State {
    std::vector<Described> found;
    bool unknown = false;
  };

  auto state = std::make_shared<State>();
  const auto visit = [this, state, ids](const Tunnel& session) {
    if (!std::binary_search(ids->begin(), ids->end(), session.id())) return true;
    const Sample& now = sample(session);
    if (!now.known) state->unknown = true;
    const auto rate = [&](double value) { return now.known ? std::optional(value) : std::nullopt; };
    state->found.push_back(
        {session.id(), session.json(rate(now.messages_rate), rate(now.bytes_rate))});
    return state->found.size() != ids->size();
  };
  walk(visit, [this, state, ids, done = std::move(done), again] {
    if (state->unknown && !again)
      return look_later([this, ids, done] { describe(ids, done, true); });
    done(std::move(state->found));
  });
}

void Inspector::close(const observe::SessionFilter& filter, std::function<void(std::size_t)> done) {
  auto count = std::make_shared<std::size_t>(0);
  const auto visit = [count, filter](Tunnel& session) {
    if (session.matches(filter) && session.close(rules::Cause::closed_by_admin)) ++*count;
    return true;
  };
  walk(visit, [count, done = std::move(done)] { done(*count); });
}

void Inspector::close(std::uint64_t id, std::function<void(Closed)> done) {
  auto result = std::make_shared<Closed>(Closed::no_such);
  const auto visit = [result, id](Tunnel& session) {
    if (session.id() != id) return true;
    const bool closed = session.close(rules::Cause::closed_by_admin);
    *result = closed ? Closed::yes : Closed::ending_already;
    return false;
  };
  walk(visit, [result, done = std::move(done)] { done(*result); });
}

// A session that is young enough has its beginning for a first look.
const Inspector::Sample& Inspector::sample(const Tunnel& session) {
  const net::TimePoint now = home_.loop.now();
  asked_ = now;
  timer_.arm_by(now + kForget);
  auto [found, is_new] = samples_.try_emplace(session.id());
  Sample& last = found->second;
  if (is_new) last.at = session.opened();
  const auto age = now - last.at;
  if (!is_new && age < kSample) return last;
  const bool usable = age <= kOldSample;
  const double time = std::max(seconds(age), 1.0);
  const std::uint64_t messages = session.messages();
  const std::uint64_t bytes = session.bytes();
  last.known = usable;
  last.messages_rate = usable ? static_cast<double>(messages - last.messages) / time : 0;
  last.bytes_rate = usable ? static_cast<double>(bytes - last.bytes) / time : 0;
  last.at = now;
  last.messages = messages;
  last.bytes = bytes;
  return last;
}

void Inspector::look_later(std::function<void()> look) {
  const net::TimePoint at = home_.loop.now() + kSample;
  later_.push_back({at, std::move(look)});
  timer_.arm_by(at);
}

void Inspector::on_timer(net::Timer&) {
  const net::TimePoint now = home_.loop.now();
  const auto due = std::stable_partition(later_.begin(), later_.end(),
                                         [now](const Later& later) { return later.at > now; });
  std::vector<Later> looks(std::make_move_iterator(due), std::make_move_iterator(later_.end()));
  later_.erase(due, later_.end());
  for (const Later& later : looks) later.look();
  if (now >= asked_ + kForget) {
    samples_.clear();
  } else {
    timer_.arm_by(asked_ + kForget);
  }
  // Of sessions that have ended meanwhile.
  if (samples_.size() > 2 * home_.links.size() + 1000)
    std::erase_if(samples_, [now](const auto& one) { return now > one.second.at + kOldSample; });
  for (const Later& later : later_) timer_.arm_by(later.at);
}

}  // namespace fairlead::edge
