// Loads with latency: paced, fan-out; and the idle one.

#include <sys/prctl.h>

#include <algorithm>

#include "tests/bench/report.h"
#include "tests/bench/swarm.h"

namespace fairlead::bench {
namespace {

std::uint64_t nanoseconds(Clock::duration duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
}

// When each of a row of things is due: number n at begin + n * step.
struct Schedule {
  Clock::time_point begin;
  double step;  // seconds
  std::uint64_t next = 0;

  Clock::time_point at(std::uint64_t number) const {
    return begin + seconds_of(static_cast<double>(number) * step);
  }

  Clock::time_point due() const { return at(next); }
};

// Message n of all goes to session n % N, as its message n / N: so the scheduled time of an answer
// follows from how many the session had before, and a stall counts in full for every message that
// was due in it, sent or not (no coordinated omission).
class Paced {
 public:
  explicit Paced(const LoadOptions& options)
      : options_(options), swarm_(options), answered_(options.connections) {
    swarm_.open(options.connections, "/echo");
    if (options.slow > 0) swarm_.open(options.slow, "/push?size=16384", true);
    swarm_.on_data([this](std::size_t index, unsigned frames, std::size_t bytes) {
      if (index < answered_.size()) {
        answer(index, frames);
      } else {
        slow_bytes_ += static_cast<double>(bytes);
      }
    });
  }

  void run() {
    say("open");
    auto begin = Clock::now();
    fast_ = {begin, 1.0 / (options_.rate * options_.connections)};
    if (options_.slow > 0) slow_ = {begin, 1.0 / options_.slow};
    window_ = begin + seconds_of(options_.warm);
    end_ = window_ + seconds_of(options_.seconds);
    go_until(window_);
    say("warm");
    received_ = 0;
    slow_bytes_ = 0;
    go_until(end_);
    say("done");
    double received = received_;
    double slow_bytes = slow_bytes_;
    auto limit = Clock::now() + std::chrono::seconds(5);
    while (unanswered() > 0 && Clock::now() < limit) swarm_.turn(limit);
    count_lost();
    print(received, slow_bytes);
  }

 private:
  void go_until(Clock::time_point end) {
    for (auto now = Clock::now(); now < end; now = Clock::now()) {
      for (; fast_.due() <= now && fast_.due() < end; ++fast_.next) {
        if (fast_.due() >= window_) late_.add(nanoseconds(Clock::now() - fast_.due()));
        swarm_.send(fast_.next % answered_.size(), message_);
      }
      if (options_.slow > 0) read_slowly(now);
      swarm_.turn(std::min({fast_.due(), options_.slow > 0 ? slow_.due() : end, end}));
    }
  }

  void read_slowly(Clock::time_point now) {
    for (; slow_.due() <= now; ++slow_.next)
      swarm_.read(answered_.size() + slow_.next % options_.slow, options_.slow_rate);
  }

  void answer(std::size_t index, unsigned frames) {
    auto now = Clock::now();
    received_ += frames;
    for (unsigned i = 0; i < frames; ++i) {
      Clock::time_point due = fast_.at(answered_[index]++ * answered_.size() + index);
      if (due >= window_ && due < end_) latency_.add(nanoseconds(now - due));
    }
  }

  std::uint64_t unanswered() const {
    std::uint64_t answers = 0;
    for (std::uint64_t one : answered_) answers += one;
    return fast_.next - answers;
  }

  // What never came counts with all the time it was waited for.
  void count_lost() {
    auto now = Clock::now();
    lost_ = unanswered();
    for (std::size_t i = 0; i < answered_.size(); ++i) {
      for (std::uint64_t n = answered_[i] * answered_.size() + i; n < fast_.next;
           n += answered_.size())
        if (fast_.at(n) >= window_) latency_.add(nanoseconds(now - fast_.at(n)));
    }
  }

  void print(double received, double slow_bytes) {
    Report("paced")
        .number("connections", options_.connections)
        .number("count", received)
        .number("seconds", options_.seconds)
        .number("lost", static_cast<double>(lost_))
        .number("slow_bytes", slow_bytes)
        .histogram("latency_ns", latency_)
        .histogram("late_ns", late_)
        .print();
  }

  LoadOptions options_;
  Swarm swarm_;
  std::string message_ = make_message(options_.size, Side::client);
  std::vector<std::uint64_t> answered_;  // by session
  Schedule fast_{};
  Schedule slow_{};
  Clock::time_point window_;
  Clock::time_point end_;
  Histogram latency_;
  Histogram late_;  // how late the load itself was: what is not the proxy's
  double received_ = 0;
  double slow_bytes_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace

int load_paced(const LoadOptions& options) {
  prctl(PR_SET_TIMERSLACK, 1UL);
  Paced(options).run();
  return 0;
}

int load_fan(const LoadOptions& options) {
  Swarm swarm(options);
  swarm.open(options.connections, "/fan");
  std::size_t publisher = swarm.size();
  swarm.open(1, "/publish");
  say("open");
  std::uint64_t received = 0;
  swarm.on_data([&](std::size_t, unsigned frames, std::size_t) { received += frames; });
  std::string message = make_message(options.size, Side::client);
  Histogram spread;
  double rounds = 0;
  auto round = [&] {
    auto begin = Clock::now();
    std::uint64_t all = received + options.connections;
    swarm.send(publisher, message);
    while (received < all) swarm.turn(Clock::time_point::max());
    return Clock::now() - begin;
  };
  auto begin = Clock::now();
  while (Clock::now() < begin + seconds_of(options.warm)) round();
  say("warm");
  begin = Clock::now();
  for (auto end = begin + seconds_of(options.seconds); Clock::now() < end; ++rounds)
    spread.add(nanoseconds(round()));
  double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  say("done");
  Report("fan")
      .number("connections", options.connections)
      .number("count", rounds * options.connections)
      .number("rounds", rounds)
      .number("seconds", seconds)
      .histogram("latency_ns", spread)
      .print();
  return 0;
}

int load_idle(const LoadOptions& options) {
  Swarm swarm(options);
  say("warm");
  auto begin = Clock::now();
  swarm.open(options.connections, "/echo");
  double opening = std::chrono::duration<double>(Clock::now() - begin).count();
  say("open");
  swarm.run_until_input_ends();
  begin = Clock::now();
  swarm.close_all();
  double closing = std::chrono::duration<double>(Clock::now() - begin).count();
  say("done");
  Report("idle")
      .number("connections", options.connections)
      .number("open_seconds", opening)
      .number("close_seconds", closing)
      .print();
  return 0;
}

}  // namespace fairlead::bench
