#include "proxy/edge/worker.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>

#include "proxy/edge/tcp_timeouts.h"
#include "proxy/net/socket.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

// A connection is handed over when this many more are here than at the least loaded worker: a
// wake-up of another thread has to be worth it, and a handful of sessions do not matter.
constexpr std::uint32_t kWorthHanding = 4;

// Connections beyond max_connections that are given time to read why.
constexpr std::uint32_t kMostTold = 32;

// Access-log lines and spans wait this long for others, unless they are many: each batch wakes
// another thread.
constexpr conf::Millis kLogDelay{20};

}  // namespace

Worker::Worker(Shared& shared, unsigned number, std::uint32_t tag)
    : shared_(shared),
      mailbox_(loop_),
      access_(observe::access_logger()),
      idle_(loop_, shared.idle_each),
      log_timer_(loop_.timers(), *this),
      home_{loop_, links_, access_},
      departures_(home_),
      inspector_(home_, mailbox_) {
  home_.departures = &departures_;
  home_.worker = number;
  home_.idle = &idle_;
  home_.waiting.share(shared_.waiting);
  if (shared_.spans != nullptr) tracer_ = std::make_unique<Tracer>(*shared_.spans);
  home_.tracer = tracer_.get();
  home_.stopping = &shared_.stopping;
  home_.conn_ids = ConnIds(tag, number);
  home_.hop = shared_.hop;
  loop_.on_turn_end([this] { on_turn_end(); });
}

Worker::~Worker() {
  join();
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::run() {
  pthread_setname_np(pthread_self(), "worker");
  loop_.run();
  doors_.clear();
  links_.for_each([](Link& link) { link.force_end(); });
  links_.bury();
  idle_.clear();
  flush();
}

void Worker::take(Snapshot snapshot, std::function<void()> taken) {
  mailbox_.post([this, snapshot = std::move(snapshot), taken = std::move(taken)]() mutable {
    swap(std::move(snapshot));
    if (taken) taken();
  });
}

// A socket that stays keeps its acceptor: nothing that waits there is lost.
void Worker::swap(Snapshot snapshot) {
  std::vector<Door> doors;
  for (std::size_t i = 0; i < snapshot.sockets.size(); ++i) {
    auto kept = std::find_if(doors_.begin(), doors_.end(),
                             [&](const Door& door) { return door.socket == snapshot.sockets[i]; });
    if (kept != doors_.end()) {
      kept->acceptor->set_tag(i);
      doors.push_back(std::move(*kept));
      continue;
    }
    const int fd = snapshot.sockets[i]->fd.get();
    auto acceptor = std::make_unique<net::Acceptor>(loop_, fd, i, *this);
    doors.push_back({std::move(snapshot.sockets[i]), std::move(acceptor)});
  }
  doors_ = std::move(doors);
  home_.runtime = std::move(snapshot.runtime);
  loop_.set_tcp_timeouts(tcp_timeouts(home_.runtime->config()));
}

Worker& Worker::least_loaded() {
  Worker* least = this;
  for (auto& worker : shared_.workers) {
    if (worker->connections() < least->connections()) least = worker.get();
  }
  return least->connections() + kWorthHanding < connections() ? *least : *this;
}

// At the limit who asks nothing makes room; else a few are told, and the others closed.
Connection::Welcome Worker::welcome() {
  const std::uint32_t most = std::min(home_.runtime->config().server.max_connections, shared_.room);
  const auto full = [&] { return shared_.connections.load(std::memory_order_relaxed) >= most; };
  while (full() && home_.waiting.shed_one(loop_.now())) {
  }
  if (!full()) return Connection::Welcome::served;
  for (auto& worker : shared_.workers) {
    if (worker.get() != this) worker->ask_to_shed();
  }
  return shared_.refused.load(std::memory_order_relaxed) < kMostTold
             ? Connection::Welcome::told
             : Connection::Welcome::turned_away;
}

// Any thread: the next connection, wherever it comes, finds the place of one that asks nothing
// here.
void Worker::ask_to_shed() {
  if (asked_to_shed_.exchange(true, std::memory_order_relaxed)) return;
  mailbox_.post([this] {
    asked_to_shed_.store(false, std::memory_order_relaxed);
    home_.waiting.shed_one(loop_.now());
  });
}

void Worker::on_accept(net::Fd fd, const net::PeerAddress& peer, std::size_t listener) {
  Connection::Arrival arrival;
  arrival.runtime = home_.runtime;
  arrival.listener = listener;
  arrival.fd = std::move(fd);
  arrival.peer = peer;
  arrival.welcome = welcome();
  const bool served = arrival.welcome == Connection::Welcome::served;
  // One that is turned away is worth no wake-up: its descriptor would wait for that.
  Worker& target = served ? least_loaded() : *this;
  arrival.place = Place(target.load_, served ? shared_.connections : shared_.refused);
  if (&target == this) return adopt(std::move(arrival));
  // std::function wants what can be copied.
  auto packed = std::make_shared<Connection::Arrival>(std::move(arrival));
  shared_.waiting.fresh.fetch_add(1, std::memory_order_relaxed);  // while it is on its way
  target.mailbox_.post([&target, packed] {
    target.adopt(std::move(*packed));
    target.shared_.waiting.fresh.fetch_sub(1, std::memory_order_relaxed);
  });
}

void Worker::adopt(Connection::Arrival arrival) {
  auto connection = std::make_unique<Connection>(home_, std::move(arrival));
  Connection& begun = *connection;
  links_.adopt(std::move(connection));
  begun.start();
}

void Worker::on_accept_paused(int error_number) {
  observe::log_warn("accepting pauses: {}", net::error_text(error_number));
}

void Worker::on_turn_end() {
  if (links_.bury()) loop_.turn_again();
  const bool spans = tracer_ && tracer_->waiting() != 0;
  if (access_.waiting() != 0 || spans) log_timer_.arm_by(loop_.now() + kLogDelay);
  if (!home_.draining || !drained_) return;
  const bool over = home_.handed_over ? links_.size() == 0 : home_.busy == 0;
  if (over) std::exchange(drained_, nullptr)();
}

void Worker::on_timer(net::Timer&) {
  flush();
}

void Worker::flush() {
  access_.flush();
  if (tracer_) tracer_->flush();
}

void Worker::drain(net::TimePoint deadline, std::function<void()> drained) {
  mailbox_.post([this, deadline, drained] {
    home_.draining = true;
    home_.drain_deadline = deadline;
    drained_ = drained;
    links_.for_each([deadline](Link& link) {
      if (link.session() == nullptr) link.drain(deadline);
    });
  });
}

void Worker::hand_over(net::TimePoint deadline, std::function<void()> drained) {
  mailbox_.post([this] { home_.handed_over = true; });
  drain(deadline, std::move(drained));
}

void Worker::ask(std::function<void()> work) {
  mailbox_.post(std::move(work));
}

void Worker::departures(std::function<void(Departures&)> work) {
  mailbox_.post([this, work = std::move(work)] { work(departures_); });
}

void Worker::inspect(std::function<void(Inspector&)> work) {
  mailbox_.post([this, work = std::move(work)] { work(inspector_); });
}

void Worker::recent_ends(std::function<void(const observe::RecentEnds&)> work) {
  mailbox_.post([this, work = std::move(work)] { work(home_.ends); });
}

void Worker::post(std::function<void(Home&)> work) {
  mailbox_.post([this, work = std::move(work)] { work(home_); });
}

void Worker::stop() {
  mailbox_.post([this] { loop_.stop(); });
}

}  // namespace fairlead::edge
