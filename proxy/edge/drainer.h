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

  // After a reload: what is rebalanced, and how, and at which rate jobs go from now on.
  void use(std::shared_ptr<const Runtime> runtime) { runtime_ = std::move(runtime); }

  // Moves the sessions of `scope`: Close 1012 to clients, 1001 to servers. `rate`: as
  // server.drain.rate has it unless given. A server is set to AdminState::drain, gets no new
  // sessions, and its job lasts until it is undone; other jobs concern the sessions there are now,
  // and end by themselves. Returns the job's id; of the one there is, if the same is under way.
  std::uint32_t drain(const Scope& scope, std::optional<conf::Rate> rate = std::nullopt);
  // Stops the job; sessions that have not been told stay. A server is set to ready again. False:
  // there is no such job.
  bool undo(std::uint32_t id);
  bool undo(const Scope& scope);

  // The jobs under way; a server's stays in here until it is undone. Rebalancing is not among them.
  std::vector<Progress> progress() const;

  // The process ends: all sessions get 1001 at the configured rate, what is left a little before
  // `deadline`. Cannot be undone; no other job matters from then on.
  void stop(net::TimePoint deadline);
  // Another process has taken over: the same, but sessions are moved (1012), those too that begin
  // here yet.
  void hand_over(net::TimePoint deadline);

  // All that rebalancing has moved so far, of a backend.
  std::uint64_t rebalanced(const std::string& backend) const;

 private:
  struct Job {
    DrainOrder order;
    double rate = 0;
    bool counted = false;
    bool empty_logged = false;
    std::chrono::system_clock::time_point started;
  };

  struct Balancer;

  void on_timer(net::Timer& timer) override;
  void end_all(DrainOrder order, net::TimePoint deadline);
  std::uint32_t start(DrainOrder order, double rate);
  void counted(std::uint32_t id, const std::vector<std::uint32_t>& counts);
  void cancel(std::uint32_t id);
  void rebalance(const std::shared_ptr<balance::Pool>& pool);
  void look_at(Job& job);

  net::Loop& loop_;
  net::Mailbox& mailbox_;
  Shared& shared_;
  std::shared_ptr<const Runtime> runtime_;
  net::Timer timer_;
  std::map<std::uint32_t, Job> jobs_;
  std::map<std::string, std::unique_ptr<Balancer>> balancers_;  // by backend
  std::uint32_t next_id_ = 1;
  bool stopping_ = false;
};

}  // namespace fairlead::edge
