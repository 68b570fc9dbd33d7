#include "proxy/edge/names.h"

#include <algorithm>
#include <set>

#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

// Without the port: a name is asked for once, however many ports are written behind it.
std::string key_of(const conf::Address& name) {
  return (name.kind == conf::Address::Kind::service ? "srv:" : "") + name.host;
}

balance::Endpoints endpoints_of(const net::Resolver::Answer& answer, bool service) {
  if (service) {
    std::vector<balance::Service> services;
    for (const auto& one : answer.places)
      services.push_back({one.ip, one.port, one.priority, one.weight});
    return balance::from_services(std::move(services));
  }
  std::vector<conf::Ip> ips;
  for (const auto& one : answer.places) ips.push_back(one.ip);
  return balance::from_hosts(ips);
}

}  // namespace

// One name: waits, asks, waits.
struct Names::Entry final : net::Timer::Handler {
  Entry(Names& owner, std::string key_text, const conf::Address& address)
      : names(owner),
        key(std::move(key_text)),
        host(address.host),
        service(address.kind == conf::Address::Kind::service),
        timer(owner.loop_.timers(), *this) {}

  void on_timer(net::Timer&) override { ask(); }

  // The resolver may outlive this name, and this name the resolver: then nobody answers.
  void ask() {
    timer.disarm();
    asking = std::make_shared<bool>(true);
    names.resolver_->ask(host, service,
                         [this, alive = std::weak_ptr<bool>(asking)](net::Resolver::Answer answer) {
                           if (!alive.expired()) take(std::move(answer));
                         });
  }

  void take(net::Resolver::Answer answer) {
    asking.reset();
    const bool first = !answered;
    answered = true;
    if (answer.kind == net::Resolver::Answer::Kind::found) {
      learn(answer);
    } else {
      keep(answer);
    }
    if (first && names.settled()) names.tell_soon();
  }

  void learn(const net::Resolver::Answer& answer) {
    if (failures != 0) observe::log_info("\"{}\" is resolved now", key);
    failures = 0;
    timer.arm(names.loop_.now() + balance::ask_again_in(answer.ttl, names.resolver_->settings()));
    balance::Endpoints now = endpoints_of(answer, service);
    const balance::Unanswered unanswered{answer.unanswered.ipv4, answer.unanswered.ipv6};
    now = balance::joined(now, known, unanswered);
    if (answer.places.size() > now.size() && now.size() == conf::bounds::kNameAddresses) {
      observe::log_debug("\"{}\" stands for more than {} addresses: the others are not used", key,
                         now.size());
    }
    if (now == known) return;
    known = std::move(now);
    names.tell_soon();
  }

  void keep(const net::Resolver::Answer& answer) {
    ++failures;
    timer.arm(names.loop_.now() + balance::retry_in(failures, names.resolver_->settings()));
    if (failures > 1) return observe::log_debug("\"{}\": {}", key, answer.why);
    if (known.empty()) {
      observe::log_warn("cannot resolve \"{}\": {}; no servers from it until it is", key,
                        answer.why);
    } else {
      observe::log_warn("cannot resolve \"{}\": {}; its {} address{} stay{}", key, answer.why,
                        known.size(), known.size() == 1 ? "" : "es", known.size() == 1 ? "s" : "");
    }
  }

  Names& names;
  std::string key;
  std::string host;
  bool service;
  net::Timer timer;
  std::shared_ptr<bool> asking;  // null: no question is under way
  bool answered = false;         // at least once, one way or another
  unsigned failures = 0;         // in a row
  balance::Endpoints known;
};

Names::Names(net::Loop& loop, std::function<void()> news)
    : loop_(loop),
      news_(std::move(news)),
      news_timer_(loop.timers(), *this),
      patience_(loop.timers(), *this) {}

Names::~Names() = default;

void Names::follow(const conf::Dns& settings, const std::vector<conf::Address>& names) {
  std::set<std::string> wanted;
  for (const conf::Address& name : names) wanted.insert(key_of(name));
  for (auto one = entries_.begin(); one != entries_.end();)
    one = wanted.count(one->first) == 0 ? entries_.erase(one) : std::next(one);
  const bool other = !resolver_ || !(resolver_->settings() == settings);
  if (other && !wanted.empty()) {
    resolver_ = std::make_unique<net::Resolver>(loop_, settings);
    for (auto& [key, entry] : entries_) entry->ask();
  }
  for (const conf::Address& name : names) {
    const std::string key = key_of(name);
    if (entries_.count(key) != 0) continue;
    patience_.arm(loop_.now() + kPatience);
    auto made = std::make_unique<Entry>(*this, key, name);
    Entry& entry = *made;
    entries_.emplace(key, std::move(made));
    entry.ask();
  }
}

bool Names::settled() const {
  if (!patience_.armed()) return true;
  return std::all_of(entries_.begin(), entries_.end(),
                     [](const auto& one) { return one.second->answered; });
}

bool Names::complete() const {
  return std::none_of(entries_.begin(), entries_.end(),
                      [](const auto& one) { return one.second->known.empty(); });
}

const balance::Endpoints* Names::find(const conf::Address& name) const {
  const auto found = entries_.find(key_of(name));
  return found != entries_.end() ? &found->second->known : nullptr;
}

// Answers that come together are one change.
void Names::tell_soon() {
  news_timer_.arm_by(loop_.now());
}

void Names::on_timer(net::Timer& timer) {
  if (&timer == &patience_) {
    for (const auto& [key, entry] : entries_) {
      if (!entry->answered)
        observe::log_warn("cannot resolve \"{}\": no answer yet; no servers from it until then",
                          key);
    }
  }
  news_();
}

}  // namespace fairlead::edge
