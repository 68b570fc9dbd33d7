#include "proxy/edge/drainer.h"

#include <algorithm>
#include <set>

#include "proxy/balance/pace.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

constexpr conf::Millis kInterval{1000};
// Rebalancing leaves alone who speaks all the time.
constexpr conf::Millis kIdle{1000};

double per_second(const std::optional<conf::Rate>& rate) {
  return rate ? rate->per_second : 0;
}

std::string rate_words(double rate) {
  return rate > 0 ? fmt::format("{:g} per second", rate) : "all at once";
}

// `limit` in parts like `counts`, none more than its count; what rounding leaves goes to the first
// that have some.
std::vector<std::uint32_t> parts(std::uint32_t limit, const std::vector<std::uint32_t>& counts) {
  std::uint64_t total = 0;
  for (std::uint32_t count : counts) total += count;
  if (limit >= total) return counts;
  std::vector<std::uint32_t> result;
  std::uint64_t left = limit;
  for (std::uint32_t count : counts) {
    result.push_back(static_cast<std::uint32_t>(std::uint64_t{limit} * count / total));
    left -= result.back();
  }
  for (std::size_t i = 0; left != 0; i = (i + 1) % counts.size()) {
    if (result[i] == counts[i]) continue;
    ++result[i];
    --left;
  }
  return result;
}

}  // namespace

// Rebalancing of one backend.
struct Drainer::Balancer {
  explicit Balancer(const conf::Rebalance& from) : settings(from), policy(from) {}

  std::uint64_t moved() const { return count->told.load(); }

  conf::Rebalance settings;
  balance::Rebalance policy;
  std::shared_ptr<LeaveCount> count = std::make_shared<LeaveCount>();
};

Drainer::Drainer(net::Loop& loop, net::Mailbox& mailbox, Shared& shared,
                 std::shared_ptr<const Runtime> runtime)
    : loop_(loop),
      mailbox_(mailbox),
      shared_(shared),
      runtime_(std::move(runtime)),
      timer_(loop.timers(), *this) {
  timer_.arm(loop_.now() + kInterval);
}

Drainer::~Drainer() = default;

std::uint32_t Drainer::drain(const Scope& scope, std::optional<conf::Rate> rate) {
  for (const auto& [id, job] : jobs_) {
    if (job.order.scope == scope && job.order.limit == UINT32_MAX) return id;
  }
  const conf::Drain& settings = runtime_->config().server.drain;
  DrainOrder order;
  order.scope = scope;
  order.patience = settings.deadline;
  order.lasting = scope.kind == Scope::Kind::server;
  order.count = std::make_shared<LeaveCount>();
  if (scope.server) scope.server->admin.store(balance::AdminState::drain);
  return start(std::move(order), per_second(rate ? rate : settings.rate));
}

bool Drainer::undo(std::uint32_t id) {
  auto found = jobs_.find(id);
  if (found == jobs_.end() || stopping_) return false;
  const Scope scope = found->second.order.scope;
  if (scope.server) scope.server->admin.store(balance::AdminState::ready);
  observe::log_info("draining {}: stopped, {} of {} sessions stay", scope.text(),
                    found->second.order.count->left.load(),
                    found->second.order.count->total.load());
  cancel(id);
  return true;
}

bool Drainer::undo(const Scope& scope) {
  for (const auto& [id, job] : jobs_) {
    if (job.order.scope == scope && job.order.limit == UINT32_MAX) return undo(id);
  }
  return false;
}

void Drainer::cancel(std::uint32_t id) {
  jobs_.erase(id);
  for (auto& worker : shared_.workers)
    worker->departures([id](Departures& departures) { departures.stop(id); });
}

// First the workers count; what they choose from may change a little until they choose.
std::uint32_t Drainer::start(DrainOrder order, double rate) {
  struct Counting {
    std::vector<std::uint32_t> counts;
    std::size_t missing;
  };

  std::uint32_t id = next_id_++;
  order.job = id;
  std::size_t workers = shared_.workers.size();
  auto counting =
      std::make_shared<Counting>(Counting{std::vector<std::uint32_t>(workers), workers});
  for (std::size_t i = 0; i < workers; ++i) {
    shared_.workers[i]->departures([this, id, order, counting, i](Departures& departures) {
      std::uint32_t count = departures.count(order);
      mailbox_.post([this, id, counting, i, count] {
        counting->counts[i] = count;
        if (--counting->missing == 0) counted(id, counting->counts);
      });
    });
  }
  jobs_[id] = {std::move(order), rate, false, false, std::chrono::system_clock::now()};
  return id;
}

void Drainer::counted(std::uint32_t id, const std::vector<std::uint32_t>& counts) {
  auto found = jobs_.find(id);
  if (found == jobs_.end()) return;  // undone meanwhile
  Job& job = found->second;
  std::uint64_t total = 0;
  for (std::uint32_t count : counts) total += count;
  const bool limited = job.order.limit != UINT32_MAX;
  if (!limited) {
    observe::log_info("draining {}: {} sessions, {}", job.order.scope.text(), total,
                      rate_words(job.rate));
  }
  const std::vector<std::uint32_t> limits = parts(job.order.limit, counts);
  std::vector<std::shared_ptr<DrainOrder>> orders;
  auto missing = std::make_shared<std::size_t>(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    DrainOrder order = job.order;
    // Who has none yet may get late comers.
    double part = total == 0 ? 1.0 / static_cast<double>(counts.size())
                             : std::max<double>(counts[i], 0.5) / static_cast<double>(total);
    order.rate = job.rate * part;
    if (limited) order.limit = limits[i];
    shared_.workers[i]->departures([this, id, order, missing](Departures& departures) {
      departures.begin(order);
      mailbox_.post([this, id, missing] {
        if (--*missing != 0) return;
        if (auto begun = jobs_.find(id); begun != jobs_.end()) begun->second.counted = true;
      });
    });
  }
}

std::vector<Drainer::Progress> Drainer::progress() const {
  std::vector<Progress> result;
  for (const auto& [id, job] : jobs_) {
    if (job.order.limit != UINT32_MAX) continue;
    const LeaveCount& count = *job.order.count;
    result.push_back({id, job.order.scope.text(), job.rate, count.total.load(), count.left.load(),
                      count.told.load(), job.counted, job.started});
  }
  return result;
}

void Drainer::stop(net::TimePoint deadline) {
  DrainOrder order;
  order.cause = rules::Cause::stopping;
  end_all(std::move(order), deadline);
}

void Drainer::hand_over(net::TimePoint deadline) {
  DrainOrder order;
  order.lasting = true;
  end_all(std::move(order), deadline);
}

void Drainer::end_all(DrainOrder order, net::TimePoint deadline) {
  stopping_ = true;
  order.final = true;
  order.last = balance::last_call(loop_.now(), deadline);
  order.until = order.last;
  order.count = std::make_shared<LeaveCount>();
  start(std::move(order), per_second(runtime_->config().server.drain.rate));
}

std::uint64_t Drainer::rebalanced(const std::string& backend) const {
  auto found = balancers_.find(backend);
  return found == balancers_.end() ? 0 : found->second->moved();
}

void Drainer::on_timer(net::Timer&) {
  timer_.arm(loop_.now() + kInterval);
  for (auto at = jobs_.begin(); at != jobs_.end();) {
    Job& job = at->second;
    look_at(job);
    bool burst = job.order.limit != UINT32_MAX;  // of rebalancing: nobody waits for its end
    bool over = job.counted && !job.order.lasting && (burst || job.order.count->left.load() == 0);
    at = over ? jobs_.erase(at) : std::next(at);
  }
  if (stopping_) return;
  std::set<const balance::Pool*> seen;
  for (const RouteRuntime& route : runtime_->routes()) {
    if (seen.insert(route.pool.get()).second) rebalance(route.pool);
  }
}

void Drainer::look_at(Job& job) {
  if (!job.counted || job.order.limit != UINT32_MAX || job.empty_logged) return;
  if (job.order.count->left.load() != 0) return;
  job.empty_logged = true;
  observe::log_info("draining {}: done, {} sessions moved", job.order.scope.text(),
                    job.order.count->told.load());
}

void Drainer::rebalance(const std::shared_ptr<balance::Pool>& pool) {
  std::unique_ptr<Balancer>& balancer = balancers_[pool->name()];
  if (!pool->rebalance()) {
    if (std::exchange(balancer, nullptr)) {
      for (const auto& server : pool->servers()) server->shedding.store(false);
    }
    return;
  }
  const conf::Rebalance& settings = *pool->rebalance();
  if (!balancer || balancer->settings != settings) balancer = std::make_unique<Balancer>(settings);
  std::vector<balance::ServerLoad> loads;
  for (std::size_t i = 0; i < pool->size(); ++i) {
    const balance::PoolServer& server = pool->server(i);
    const std::uint32_t room = pool->trusts(i, loop_.now());
    loads.push_back({.id = server.id,
                     .sessions = server.sessions.load(std::memory_order_relaxed),
                     .weight = server.weight,
                     .takes_sessions = server.available() && room != 0,
                     .room = room});
  }
  const auto moves = balancer->policy.step(loads, balancer->moved(), loop_.now());
  double burst = 0;
  for (const balance::Rebalance::Move& move : moves) burst += move.sessions;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    const auto& server = pool->servers()[i];
    if (server->shedding.exchange(moves[i].shedding) != moves[i].shedding) {
      observe::log_info("backend \"{}\": {} {} ({} sessions)", pool->name(), server->name,
                        moves[i].shedding ? "has too many sessions, some are moved"
                                          : "gives no sessions up any more",
                        loads[i].sessions);
    }
    if (moves[i].sessions == 0) continue;
    DrainOrder order;
    order.scope = {Scope::Kind::server, "", server, pool->name()};
    order.patience = runtime_->config().server.drain.deadline;
    order.limit = moves[i].sessions;
    order.min_idle = kIdle;
    order.min_age = settings.min_age;
    order.count = balancer->count;
    start(std::move(order), settings.rate.per_second * moves[i].sessions / burst);
  }
}

}  // namespace fairlead::edge
