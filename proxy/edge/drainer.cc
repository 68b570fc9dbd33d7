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

void Drainer::use(std::shared_ptr<const Runtime> runtime) {
  runtime_ = std::move(runtime);
  for (auto& [id, job] : jobs_) {
    if (!job.is_burst() && !job.order.removal) attach(job);
  }
}

// What the job drains, as it is in the configuration in force.
void Drainer::attach(Job& job) const {
  Scope& scope = job.order.scope;
  std::shared_ptr<Gate> gate;
  bool found = scope.kind == Scope::Kind::all;
  for (const auto& pool : runtime_->pools()) {
    const auto& servers = pool->servers();
    found = found || (scope.server && std::count(servers.begin(), servers.end(), scope.server));
  }
  for (const ListenerRuntime& listener : runtime_->listeners()) {
    if (scope.kind == Scope::Kind::listener && listener.name == scope.name) gate = listener.gate;
  }
  for (const RouteRuntime& route : runtime_->routes()) {
    if (scope.kind == Scope::Kind::route && route.settings->name == scope.name) gate = route.gate;
  }
  if (gate) scope.gate = gate;
  job.orphan = !found && !gate;
  set_drained(scope, true);
}

void Drainer::set_drained(const Scope& scope, bool drained) const {
  const auto state = drained ? balance::AdminState::drain : balance::AdminState::ready;
  if (scope.server) scope.server->set_admin(state, loop_.now());
  if (scope.gate) scope.gate->closed.store(drained, std::memory_order_relaxed);
}

Drainer::Jobs::const_iterator Drainer::job_of(const Scope& scope) const {
  return std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& one) {
    return !one.second.is_burst() && one.second.order.scope == scope;
  });
}

std::uint32_t Drainer::drain(const Scope& scope, std::optional<conf::Rate> rate) {
  if (const auto found = job_of(scope); found != jobs_.end()) {
    Job& job = jobs_.at(found->first);
    if (rate && rate->per_second != job.rate) pace(found->first, job, rate->per_second);
    return found->first;
  }
  const conf::Drain& settings = runtime_->config().server.drain;
  DrainOrder order;
  order.scope = scope;
  order.patience = settings.deadline;
  order.lasting = scope.kind != Scope::Kind::all;
  order.count = std::make_shared<LeaveCount>();
  return start(std::move(order), per_second(rate ? rate : settings.rate));
}

bool Drainer::undo(std::uint32_t id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end() || found->second.is_burst() || stopping_) return false;
  const DrainOrder order = found->second.order;
  set_drained(order.scope, false);
  observe::log_info("draining {}: stopped, {} of {} sessions stay", order.scope.text(),
                    order.count->staying(), order.count->total.load());
  jobs_.erase(found);
  halt(order.job);
  return true;
}

bool Drainer::undo(const Scope& scope) {
  const auto found = job_of(scope);
  return found != jobs_.end() && undo(found->first);
}

void Drainer::halt(std::uint32_t run) {
  for (auto& worker : shared_.workers)
    worker->departures([run](Departures& departures) { departures.stop(run); });
}

std::uint32_t Drainer::start(DrainOrder order, double rate) {
  const std::uint32_t id = next_id_++;
  Job& job = jobs_[id];
  job.order = std::move(order);
  job.rate = rate;
  job.started = std::chrono::system_clock::now();
  if (!job.is_burst() && !job.order.removal) attach(job);
  run(id, job);
  return id;
}

// Another rate: those that wait are given their times anew.
void Drainer::pace(std::uint32_t id, Job& job, double rate) {
  halt(job.order.job);
  job.rate = rate;
  job.counted = false;
  run(id, job);
}

// First the workers count; what they choose from may change a little until they choose.
void Drainer::run(std::uint32_t id, Job& job) {
  struct Counting {
    std::vector<std::uint32_t> counts;
    std::size_t missing;
  };

  job.order.job = next_run_++;
  const std::size_t workers = shared_.workers.size();
  auto counting =
      std::make_shared<Counting>(Counting{std::vector<std::uint32_t>(workers), workers});
  for (std::size_t i = 0; i < workers; ++i) {
    shared_.workers[i]->departures(
        [this, id, order = job.order, counting, i](Departures& departures) {
          const std::uint32_t count = departures.count(order);
          mailbox_.post([this, id, run = order.job, counting, i, count] {
            counting->counts[i] = count;
            if (--counting->missing == 0) counted(id, run, counting->counts);
          });
        });
  }
}

// The job, unless it was undone, or paced anew, since that run began.
Drainer::Job* Drainer::running(std::uint32_t id, std::uint32_t run) {
  const auto found = jobs_.find(id);
  return found != jobs_.end() && found->second.order.job == run ? &found->second : nullptr;
}

void Drainer::counted(std::uint32_t id, std::uint32_t run,
                      const std::vector<std::uint32_t>& counts) {
  Job* const job = running(id, run);
  if (job == nullptr) return;
  std::uint64_t total = 0;
  for (std::uint32_t count : counts) total += count;
  if (!job->is_burst() && (total != 0 || !job->late)) {
    observe::log_info("draining {}: {} sessions, {}", job->order.scope.text(), total,
                      rate_words(job->rate));
  }
  const std::vector<std::uint32_t> limits = parts(job->order.limit, counts);
  auto missing = std::make_shared<std::size_t>(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    DrainOrder order = job->order;
    // Who has none yet may get late comers.
    double part = total == 0 ? 1.0 / static_cast<double>(counts.size())
                             : std::max<double>(counts[i], 0.5) / static_cast<double>(total);
    order.rate = job->rate * part;
    if (job->is_burst()) order.limit = limits[i];
    shared_.workers[i]->departures([this, id, order, missing](Departures& departures) {
      departures.begin(order);
      mailbox_.post([this, id, run = order.job, missing] {
        if (--*missing != 0) return;
        if (Job* const begun = running(id, run)) begun->counted = true;
      });
    });
  }
}

Drainer::Progress Drainer::progress_of(std::uint32_t id, const Job& job) {
  const LeaveCount& count = *job.order.count;
  // `left` first: what ends meanwhile must not make it more than `total`.
  const std::uint32_t left = count.left.load();
  return {id,   job.order.scope.text(), job.rate,    count.total.load(),
          left, count.told.load(),      job.counted, job.started};
}

std::vector<Drainer::Progress> Drainer::progress() const {
  std::vector<Progress> result;
  for (const auto& [id, job] : jobs_) {
    if (!job.is_burst()) result.push_back(progress_of(id, job));
  }
  return result;
}

std::optional<Drainer::Progress> Drainer::find(const Scope& scope) const {
  const auto found = job_of(scope);
  if (found == jobs_.end()) return std::nullopt;
  return progress_of(found->first, found->second);
}

void Drainer::stop(net::TimePoint deadline, std::optional<conf::Rate> rate) {
  for (auto& [id, job] : jobs_) {
    if (!job.order.final) continue;
    if (rate && rate->per_second != job.rate) pace(id, job, rate->per_second);
    return;
  }
  if (stopping_) return;  // that job is over
  DrainOrder order;
  order.cause = rules::Cause::stopping;
  end_all(std::move(order), deadline, rate);
}

void Drainer::hand_over(net::TimePoint deadline) {
  DrainOrder order;
  order.lasting = true;
  end_all(std::move(order), deadline, std::nullopt);
}

void Drainer::end_all(DrainOrder order, net::TimePoint deadline, std::optional<conf::Rate> rate) {
  stopping_ = true;
  order.final = true;
  order.last = balance::last_call(loop_.now(), deadline);
  order.until = order.last;
  order.count = std::make_shared<LeaveCount>();
  start(std::move(order), per_second(rate ? rate : runtime_->config().server.drain.rate));
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
    if (!is_over(job)) {
      ++at;
      continue;
    }
    if (job.order.lasting) {
      halt(job.order.job);
      if (!job.order.removal) set_drained(job.order.scope, false);
    }
    at = jobs_.erase(at);
  }
  if (stopping_) return;
  std::set<std::string> names;
  for (const auto& pool : runtime_->pools()) {
    names.insert(pool->name());
    rebalance(pool);
  }
  std::erase_if(balancers_, [&](const auto& one) { return names.count(one.first) == 0; });
}

// Nobody waits for the end of a burst of rebalancing.
bool Drainer::is_over(const Job& job) const {
  if (!job.counted || job.is_burst()) return job.counted;
  if (job.order.count->left.load() != 0) return false;
  if (!job.order.lasting) return true;
  // A handshake with what was removed may still become a session.
  const auto& server = job.order.scope.server;
  const bool empty = server && server->sessions.load(std::memory_order_relaxed) == 0;
  return job.late ? empty || loop_.now() >= *job.late : job.orphan && (empty || !server);
}

void Drainer::look_at(Job& job) {
  if (!job.counted || job.is_burst()) return;
  if (job.late && job.order.count->total.load() == 0) return;
  const bool empty = job.order.count->left.load() == 0;
  if (empty && !job.empty_logged) {
    observe::log_info("draining {}: done, {} sessions moved", job.order.scope.text(),
                      job.order.count->told.load());
  }
  job.empty_logged = empty;
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
