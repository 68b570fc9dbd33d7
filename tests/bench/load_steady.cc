// Loads that keep the proxy as busy as it can be: echo with messages in flight, push, handshakes.

#include <algorithm>
#include <utility>

#include "tests/bench/report.h"
#include "tests/bench/swarm.h"

namespace fairlead::bench {
namespace {

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string repeated(const std::string& message, unsigned times) {
  std::string out;
  for (unsigned i = 0; i < times; ++i) out += message;
  return out;
}

struct Window {
  double frames = 0;
  double bytes = 0;
  double seconds = 0;
};

// What came in the window, after the warm-up.
Window measure(Swarm& swarm, const LoadOptions& options, const Window& total) {
  swarm.run_until(Clock::now() + seconds_of(options.warm));
  say("warm");
  Window before = total;
  auto begin = Clock::now();
  swarm.run_until(begin + seconds_of(options.seconds));
  Window window{total.frames - before.frames, total.bytes - before.bytes, since(begin)};
  say("done");
  return window;
}

void print(std::string_view mode, const LoadOptions& options, const Window& window) {
  Report(mode)
      .number("connections", options.connections)
      .number("count", window.frames)
      .number("bytes", window.bytes)
      .number("seconds", window.seconds)
      .print();
}

// Handshakes: `connections` slots, each with a session that is replaced when it has ended.
class Slots {
 public:
  explicit Slots(const LoadOptions& options)
      : options_(options),
        tls_(options.tls ? client_context() : nullptr),
        slots_(options.connections) {
    if (tls_ != nullptr && options.resume) keep_tickets();
    std::size_t first = 0;
    if (tls_ != nullptr && options.resume) {
      start(first++);  // alone, for a ticket to begin with
      while (ticket_ == nullptr) turn(std::chrono::seconds(1));
    }
    for (std::size_t i = first; i < slots_.size(); ++i) start(i);
  }

  void run_until(Clock::time_point until) {
    while (Clock::now() < until) turn(until - Clock::now());
  }

  double done() const { return done_; }

  double resumed() const { return resumed_; }

 private:
  struct Slot {
    std::optional<Session> session;
    std::uint32_t interest = 0;
    bool closing = false;
  };

  void turn(Clock::duration timeout) {
    for (epoll_event& event : poll_.wait(timeout))
      step(static_cast<std::size_t>(event.data.u64), event.events);
  }

  void keep_tickets() {
    SSL_CTX_set_session_cache_mode(tls_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(tls_, [](SSL*, SSL_SESSION* session) {
      SSL_SESSION_free(std::exchange(ticket_, session));
      return 1;
    });
  }

  void start(std::size_t index) {
    Slot& slot = slots_[index];
    // OpenSSL takes a ticket for used up after one handshake: so each gets a copy.
    SSL_SESSION* ticket = ticket_ == nullptr ? nullptr : SSL_SESSION_dup(ticket_);
    Session::Start how{options_.target, tls_, ticket, "/echo", source_of(options_, next_++)};
    slot.session.emplace(how);
    SSL_SESSION_free(ticket);
    slot.closing = false;
    slot.interest = EPOLLIN | EPOLLOUT;
    poll_.add(slot.session->channel().fd(), slot.interest, tag(index));
  }

  void step(std::size_t index, std::uint32_t events) {
    Slot& slot = slots_[index];
    Session& session = *slot.session;
    session.step(events);
    if (session.state() == Session::State::open && !slot.closing) {
      slot.closing = true;
      session.send(close_);
    }
    if (session.state() == Session::State::ended) return finish(index);
    if (session.interest() == slot.interest) return;
    slot.interest = session.interest();
    poll_.change(session.channel().fd(), slot.interest, tag(index));
  }

  void finish(std::size_t index) {
    Session& session = *slots_[index].session;
    if (!session.why().empty()) die(session.why());
    ++done_;
    if (tls_ != nullptr && session.channel().tls()->resumed()) ++resumed_;
    start(index);
  }

  static inline SSL_SESSION* ticket_ = nullptr;

  LoadOptions options_;
  SSL_CTX* tls_;
  Poll poll_;
  std::vector<Slot> slots_;
  std::string close_ = make_control(wire::Opcode::close, "\x03\xE8");
  std::size_t next_ = 0;
  double done_ = 0;
  double resumed_ = 0;
};

}  // namespace

int load_echo(const LoadOptions& options) {
  Swarm swarm(options);
  swarm.open(options.connections, "/echo");
  say("open");
  std::string message = make_message(options.size, Side::client);
  // Several answers that come in one piece are answered in one.
  std::vector<std::string> batches(options.in_flight + 1);
  for (unsigned i = 0; i <= options.in_flight; ++i) batches[i] = repeated(message, i);
  Window total;
  swarm.on_data([&](std::size_t index, unsigned frames, std::size_t bytes) {
    total.frames += frames;
    total.bytes += static_cast<double>(bytes);
    if (frames > 0) swarm.send(index, batches[std::min(frames, options.in_flight)]);
  });
  for (std::size_t i = 0; i < swarm.size(); ++i) swarm.send(i, batches.back());
  print("echo", options, measure(swarm, options, total));
  return 0;
}

int load_push(const LoadOptions& options) {
  Swarm swarm(options);
  Window total;
  swarm.on_data([&](std::size_t, unsigned frames, std::size_t bytes) {
    total.frames += frames;
    total.bytes += static_cast<double>(bytes);
  });
  swarm.open(options.connections, "/push?size=" + std::to_string(options.size));
  say("open");
  print("push", options, measure(swarm, options, total));
  return 0;
}

int load_handshakes(const LoadOptions& options) {
  Slots slots(options);
  say("open");
  slots.run_until(Clock::now() + seconds_of(options.warm));
  say("warm");
  double before = slots.done();
  double resumed = slots.resumed();
  auto begin = Clock::now();
  slots.run_until(begin + seconds_of(options.seconds));
  double seconds = since(begin);
  say("done");
  Report("handshakes")
      .number("connections", options.connections)
      .number("count", slots.done() - before)
      .number("resumed", slots.resumed() - resumed)
      .number("seconds", seconds)
      .print();
  return 0;
}

}  // namespace fairlead::bench
