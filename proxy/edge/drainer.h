#pragma once
// The drain jobs of the process, in the main thread: a server, a listener, a route, everything, the
// process's own end, and what rebalancing moves. Workers are reached by their mailboxes: they count
// first, so that each gets its part of the rate, then each gives its sessions their times
// (departures.h).

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/balance/rebalance.h"
#include "proxy/edge/departures.h"
#include "proxy/edge/reload.h"
#include "proxy/edge/worker.h"
#include "proxy/net/mailbox.h"

namespace fairlead::edge {

class Drainer final : net::Timer::Handler {
 public:
  struct Progress {
    std::uint32_t id = 0;
    std::string what;         // Scope::text()
    double rate = 0;          // sessions per second; 0: all at once
    std::uint32_t total = 0;  // sessions chosen
    std::uint32_t left = 0;   // of these, not over yet
    std::uint32_t told = 0;   // of these, ended by the job
    bool counted = false;     // false: the workers have not chosen yet
    std::chrono::system_clock::time_point started;
  };

  // `mailbox` is the main loop's; both outlive the drainer, and so does `shared`.
  Drainer(net::Loop& loop, net::Mailbox& mailbox, Shared& shared,
          std::shared_ptr<const Runtime> runtime);
  ~Drainer();

  // After a reload: what is rebalanced, and how, and at which rate jobs go from now on. Those under
  // way go on; that of a server, a listener or a route that is gone is over with its last session.
  void use(std::shared_ptr<const Runtime> runtime);

  // Moves the sessions of `scope`: Close 1012 to clients, 1001 to servers. `rate`: as
  // server.drain.rate has it unless given; 0: all at once. A server is set to AdminState::drain, a
  // listener's or a route's gate is closed, so that they get no new sessions, and the job lasts
  // until it is undone; that of all concerns the sessions there are now, and ends by itself.
  // Returns the job's id; of the one there is, if the same is under way: a rate that is given is
  // its rate from then on.
  std::uint32_t drain(const Scope& scope, std::optional<conf::Rate> rate = std::nullopt);
  // Stops the job; sessions that have not been told stay, and new ones are taken again. False:
  // there is no such job.
  bool undo(std::uint32_t id);
  bool undo(const Scope& scope);

  // The jobs under way, some until they are undone. Rebalancing is not among them.
  std::vector<Progress> progress() const;
  std::optional<Progress> find(const Scope& scope) const;

  // A reload, or DNS, has taken servers and routes away: their sessions go as on_removal says. The
  // jobs end by themselves. A server or route that came back is ready, and none of its sessions is
  // told any more. Behind Worker::take().
  void removed(const Runtime& before, const Runtime& after, const Changes& changes);

  // The process ends: all sessions get 1001, at the configured rate unless one is given, what is
  // left a little before `deadline`. Cannot be undone; no other job matters from then on. Again, or
  // after hand_over(), with a rate: that is its rate from then on.
  void stop(net::TimePoint deadline, std::optional<conf::Rate> rate = std::nullopt);
  // Another process has taken over: the same, but sessions are moved (1012), those too that begin
  // here yet.
  void hand_over(net::TimePoint deadline);

  // One of these two.
  bool ending() const { return stopping_; }

  // All that rebalancing has moved so far, of a backend.
  std::uint64_t rebalanced(const std::string& backend) const;

 private:
  // The workers know it by its run's number (DrainOrder::job): another rate is another run.
  struct Job {
    DrainOrder order;
    double rate = 0;
    bool counted = false;
    bool empty_logged = false;
    bool orphan = false;  // a reload has removed what it drains
    std::chrono::system_clock::time_point started;
    // Of what was removed: until then sessions may begin there, by handshakes under way.
    std::optional<net::TimePoint> late = std::nullopt;

    bool is_burst() const { return order.limit != std::numeric_limits<std::uint32_t>::max(); }
  };

  using Jobs = std::map<std::uint32_t, Job>;

  struct Balancer;

  void on_timer(net::Timer& timer) override;
  void end_all(DrainOrder order, net::TimePoint deadline, std::optional<conf::Rate> rate);
  std::uint32_t start(DrainOrder order, double rate);
  void run(std::uint32_t id, Job& job);
  void pace(std::uint32_t id, Job& job, double rate);
  Job* running(std::uint32_t id, std::uint32_t run);
  void counted(std::uint32_t id, std::uint32_t run, const std::vector<std::uint32_t>& counts);
  void halt(std::uint32_t run);
  Jobs::const_iterator job_of(const Scope& scope) const;
  void attach(Job& job) const;
  void set_drained(const Scope& scope, bool drained) const;
  void rebalance(const std::shared_ptr<balance::Pool>& pool);
  void look_at(Job& job);
  void let_come_back(const Runtime& before, const Runtime& after);
  void cancel_all(const Scope& scope);
  void move_removed(const Scope& scope, const Removal& removal, net::TimePoint late);
  bool is_over(const Job& job) const;
  static Progress progress_of(std::uint32_t id, const Job& job);

  net::Loop& loop_;
  net::Mailbox& mailbox_;
  Shared& shared_;
  std::shared_ptr<const Runtime> runtime_;
  net::Timer timer_;
  Jobs jobs_;
  std::map<std::string, std::unique_ptr<Balancer>> balancers_;  // by backend
  std::uint32_t next_id_ = 1;
  std::uint32_t next_run_ = 1;
  bool stopping_ = false;
};

}  // namespace fairlead::edge
