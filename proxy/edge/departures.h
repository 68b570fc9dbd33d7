#pragma once
// A worker's part of the drain jobs: it chooses its own sessions and gives each its time to go.
// From then on their own timers do it: nothing is searched or sorted while a job goes on, and a
// session that ends meanwhile needs no care. Choosing looks once at each session of the worker.

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "proxy/edge/home.h"
#include "proxy/edge/leave.h"
#include "proxy/edge/removal.h"

namespace fairlead::edge {

class Tunnel;

// A job, as a worker is told of it.
struct DrainOrder {
  std::uint32_t job = 0;
  Scope scope;
  rules::Cause cause = rules::Cause::moved;
  double rate = 0;                      // of this worker, per second; 0: at once
  std::optional<net::TimePoint> last;   // what is left then goes at once
  std::optional<net::TimePoint> until;  // no message may take longer; else: `patience` each
  conf::Millis patience{0};             // how long a message may go on
  std::uint32_t limit = std::numeric_limits<std::uint32_t>::max();  // no more than so many
  conf::Millis min_idle{0};        // only those that said nothing for so long
  conf::Millis min_age{0};         // ... and are so old
  bool lasting = false;            // sessions that begin later are told too
  bool final = false;              // the process's end: goes before all other jobs
  std::optional<Removal> removal;  // only those whose route wants it so
  std::shared_ptr<LeaveCount> count;
};

class Departures {
 public:
  explicit Departures(Home& home) : home_(home) {}

  // How many sessions an order would choose from.
  std::uint32_t count(const DrainOrder& order);
  // The longest idle go first.
  void begin(const DrainOrder& order);
  // Those that wait for their time stay, or are left to another job.
  void stop(std::uint32_t job);
  // A session has begun.
  void on_session(Tunnel& session);

 private:
  struct Lasting {
    DrainOrder order;
    net::TimePoint next;  // the time of the next late comer
  };

  bool wanted(const DrainOrder& order, const Tunnel& session) const;
  bool tell(const DrainOrder& order, Tunnel& session, net::TimePoint at);

  Home& home_;
  std::vector<Lasting> lasting_;
};

}  // namespace fairlead::edge
