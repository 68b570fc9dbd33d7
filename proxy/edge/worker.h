#pragma once
// A thread with its event loop and its connections. It accepts on the sockets all workers share,
// and hands a connection to a worker with fewer when the difference is worth it: long-lived
// sessions never even out by themselves.

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "proxy/edge/connection.h"
#include "proxy/edge/departures.h"
#include "proxy/edge/idle_pool.h"
#include "proxy/edge/inspector.h"
#include "proxy/edge/tracer.h"
#include "proxy/net/acceptor.h"
#include "proxy/net/mailbox.h"

namespace fairlead::edge {

class Worker;

// A listening socket. It is closed when no worker accepts on it any more.
struct Listening {
  net::Fd fd;
  conf::Address address;     // as bound
  std::uint64_t number = 0;  // as in ListenerRuntime
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
};

// What a reload replaces as a whole. The sockets are not the runtime's own: old sessions keep that,
// and a socket nobody accepts on must not stay open.
struct Snapshot {
  std::shared_ptr<const Runtime> runtime;
  std::vector<std::shared_ptr<const Listening>> sockets;  // one per listener, in its order
};

// What the workers share.
struct Shared {
  std::atomic<std::uint32_t> connections{0};  // admitted; what max_connections counts
  std::atomic<bool> stopping{false};          // new handshakes are refused
  std::atomic<std::uint32_t> refused{0};      // beyond it, being told so
  WaitingRoom::Crowd waiting;                 // clients that ask nothing at the moment
  std::uint32_t room = UINT32_MAX;            // connections that the descriptors suffice for
  std::uint32_t idle_each = UINT32_MAX;       // a worker's connections to servers without a request
  SpanQueue* spans = nullptr;                 // null: nothing is traced
  std::string hop;                            // as in Home; set before there are workers
  std::vector<std::unique_ptr<Worker>> workers;
};

class Worker final : public net::Acceptor::Handler, net::Timer::Handler {
 public:
  // `number` makes connection ids differ between workers, `tag` between processes.
  Worker(Shared& shared, unsigned number, std::uint32_t tag);
  ~Worker();

  // Before start(): take() first.
  void start();
  // Any thread: accept on these sockets, serve new connections by this runtime; then `taken` is
  // called, from the worker's thread.
  void take(Snapshot snapshot, std::function<void()> taken);
  // Any thread: refuse what is new, keep no connection that waits for a request; once all exchanges
  // and sessions are over `drained` is called, from the worker's thread. Sessions are told by a
  // Drainer.
  void drain(net::TimePoint deadline, std::function<void()> drained);
  // Any thread, once no worker accepts any more: the same, but nothing that came before is refused,
  // and every connection is waited for.
  void hand_over(net::TimePoint deadline, std::function<void()> drained);
  // Any thread: end everything now and stop the loop; join() follows.
  void stop();
  void join();
  // Any thread: `work` is done in the worker's.
  void departures(std::function<void(Departures&)> work);
  void inspect(std::function<void(Inspector&)> work);
  void recent_ends(std::function<void(const observe::RecentEnds&)> work);
  void ask(std::function<void()> work);
  void post(std::function<void(Home&)> work);

  std::uint32_t connections() const { return load_.load(std::memory_order_relaxed); }

  // Any thread.
  const observe::WorkerCounters& counters() const { return *home_.counters; }

 private:
  void run();
  void on_accept(net::Fd fd, const net::PeerAddress& peer, std::size_t listener) override;
  void on_accept_paused(int error_number) override;
  void adopt(Connection::Arrival arrival);
  void swap(Snapshot snapshot);
  Worker& least_loaded();
  Connection::Welcome welcome();
  void ask_to_shed();
  void on_turn_end();
  void flush();
  void on_timer(net::Timer& timer) override;

  struct Door {
    std::shared_ptr<const Listening> socket;
    std::unique_ptr<net::Acceptor> acceptor;
  };

  Shared& shared_;
  std::atomic<std::uint32_t> load_{0};
  std::atomic<bool> asked_to_shed_{false};
  net::Loop loop_;
  net::Mailbox mailbox_;
  Links links_;
  observe::AccessLog access_;
  IdlePool idle_;
  std::unique_ptr<Tracer> tracer_;
  net::Timer log_timer_;
  Home home_;
  Departures departures_;
  Inspector inspector_;
  std::vector<Door> doors_;  // in the order of the runtime's listeners
  std::function<void()> drained_;
  std::thread thread_;
};

}  // namespace fairlead::edge
