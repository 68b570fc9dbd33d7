#include "proxy/edge/health_checks.h"

#include <algorithm>

#include "proxy/balance/rise_fall.h"
#include "proxy/edge/health_check.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

// `whole` times a random part of it, 0 up to (not including) 1.
std::chrono::microseconds part_of(std::chrono::microseconds whole, Random& random) {
  const auto part = (static_cast<std::uint64_t>(whole.count()) * (random.next() >> 32)) >> 32;
  return std::chrono::microseconds(part);
}

}  // namespace

// One server: waits, checks, waits.
class HealthChecks::Target final : net::Timer::Handler, HealthCheck::Handler {
 public:
  Target(net::Loop& loop, Random& random, const conf::Health& settings,
         std::shared_ptr<balance::Pool> pool, std::size_t index)
      : loop_(loop),
        random_(random),
        settings_(settings),
        pool_(std::move(pool)),
        index_(index),
        state_(settings_.rise, settings_.fall, server().up, server().checked),
        check_(loop, random, settings_, *this),
        timer_(loop.timers(), *this) {
    timer_.arm(loop_.now() + part_of(settings_.interval, random_));
  }

  bool is(const balance::PoolServer& server, const conf::Health& settings) const {
    return &this->server() == &server && settings_ == settings;
  }

  // The same server as part of a newer pool.
  void move_to(std::shared_ptr<balance::Pool> pool, std::size_t index) {
    pool_ = std::move(pool);
    index_ = index;
  }

 private:
  balance::PoolServer& server() const { return pool_->server(index_); }

  void on_timer(net::Timer&) override {
    begun_ = loop_.now();
    check_.start(server().address);
  }

  void on_checked(HealthCheck::Outcome outcome, const std::string& why) override {
    // One that took longer than the interval is followed by the next at once.
    const auto tenth = settings_.interval / 10;
    timer_.arm(begun_ + settings_.interval - tenth + part_of(2 * tenth, random_));
    if (outcome == HealthCheck::Outcome::unknown) {
      return observe::log_warn("backend \"{}\": {} could not be checked: {}", pool_->name(),
                               server().name, why);
    }
    note(outcome == HealthCheck::Outcome::passed, why);
  }

  void note(bool good, const std::string& why) {
    const bool first = !server().checked.exchange(true, std::memory_order_relaxed);
    const bool changed = good ? state_.passed() : state_.failed();
    if (!good) pool_->note_error(index_, loop_.now(), "check: " + why);
    if (!changed) {
      if (!good) observe::log_debug("backend \"{}\": {}: {}", pool_->name(), server().name, why);
      return;
    }
    pool_->set_up(index_, good, loop_.now(), why);
    if (good) {
      observe::log_info("backend \"{}\": {} is up: {} good check{} in a row", pool_->name(),
                        server().name, settings_.rise, settings_.rise == 1 ? "" : "s");
    } else if (first) {
      observe::log_warn("backend \"{}\": {} is down: {} (the first check)", pool_->name(),
                        server().name, why);
    } else {
      observe::log_warn("backend \"{}\": {} is down: {} ({} failed check{} in a row)",
                        pool_->name(), server().name, why, settings_.fall,
                        settings_.fall == 1 ? "" : "s");
    }
  }

  net::Loop& loop_;
  Random& random_;
  const conf::Health settings_;
  std::shared_ptr<balance::Pool> pool_;
  std::size_t index_;
  balance::RiseFall state_;
  HealthCheck check_;
  net::Timer timer_;
  net::TimePoint begun_;
};

HealthChecks::HealthChecks(net::Loop& loop, std::shared_ptr<const Runtime> runtime) : loop_(loop) {
  use(std::move(runtime));
}

HealthChecks::~HealthChecks() = default;

void HealthChecks::use(std::shared_ptr<const Runtime> runtime) {
  std::vector<std::unique_ptr<Target>> targets;
  for (std::size_t i = 0; i < runtime->pools().size(); ++i) {
    const std::shared_ptr<balance::Pool>& pool = runtime->pools()[i];
    const auto& settings = runtime->config().backends[i].health;
    for (std::size_t index = 0; index < pool->size(); ++index) {
      if (!settings) {
        if (!pool->server(index).up) pool->set_up(index, true);
        continue;
      }
      std::unique_ptr<Target> target = take_over(pool->server(index), *settings);
      if (target) {
        target->move_to(pool, index);
      } else {
        target = std::make_unique<Target>(loop_, random_, *settings, pool, index);
      }
      targets.push_back(std::move(target));
    }
  }
  targets_ = std::move(targets);
  runtime_ = std::move(runtime);
}

// Null: it is not checked, or otherwise.
std::unique_ptr<HealthChecks::Target> HealthChecks::take_over(const balance::PoolServer& server,
                                                              const conf::Health& settings) {
  const auto found = std::find_if(targets_.begin(), targets_.end(),
                                  [&](const auto& target) { return target->is(server, settings); });
  if (found == targets_.end()) return nullptr;
  std::unique_ptr<Target> target = std::move(*found);
  targets_.erase(found);
  return target;
}

}  // namespace fairlead::edge
