#include "proxy/balance/pool.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "proxy/balance/hash.h"
#include "tls/digest.h"

namespace fairlead::balance {
namespace {

bool contains(const std::vector<std::size_t>& tried, std::size_t index) {
  return std::find(tried.begin(), tried.end(), index) != tried.end();
}

std::uint64_t random_seed() {
  std::array<char, sizeof(std::uint64_t)> bytes{};
  tls::random_bytes(std::span<char>(bytes));
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), sizeof(seed));
  return seed;
}

// SplitMix64: enough for jitter and for choices nobody gains by guessing.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t x = state;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

bool PoolServer::enter(std::uint32_t most) {
  std::uint32_t open = sessions.load(std::memory_order_relaxed);
  while (open < most) {
    if (sessions.compare_exchange_weak(open, open + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

Lease::Lease(std::shared_ptr<Pool> pool, std::size_t index)
    : pool_(std::move(pool)), index_(static_cast<std::uint32_t>(index)) {
  pool_->servers_[index_]->sessions.fetch_add(1, std::memory_order_relaxed);
}

Lease::Lease(Lease&& other) noexcept
    : pool_(std::move(other.pool_)),
      index_(std::exchange(other.index_, 0)),
      full_(std::exchange(other.full_, false)) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  reset();
  pool_ = std::move(other.pool_);
  index_ = std::exchange(other.index_, 0);
  full_ = std::exchange(other.full_, false);
  return *this;
}

Lease::~Lease() {
  reset();
}

const PoolServer& Lease::server() const {
  return *pool_->servers_[index_];
}

void Lease::reset() {
  if (!pool_) return;
  pool_->servers_[index_]->sessions.fetch_sub(1, std::memory_order_relaxed);
  pool_.reset();
  index_ = 0;
}

const std::shared_ptr<PoolServer>& Lease::server_ptr() const {
  return pool_->servers_[index_];
}

std::shared_ptr<Pool> Pool::make(const conf::Backend& backend, const Pool* previous,
                                 std::string_view sticky_secret) {
  const std::shared_ptr<Pool> pool(new Pool());
  pool->name_ = backend.name;
  pool->rebalance_ = backend.rebalance;
  for (const auto& from : backend.servers) pool->add_server(from, previous);
  if (previous != nullptr) pool->note_removed(*previous);
  if (backend.sticky) pool->bind_sessions(*backend.sticky, previous, sticky_secret);
  if (backend.balance == conf::Backend::Balance::hash) pool->hash_key_ = backend.hash_key;
  pool->mutex_ = previous != nullptr ? previous->mutex_ : std::make_shared<std::mutex>();
  pool->picker_ = make_picker(backend.balance);
  const std::size_t size = pool->servers_.size();
  pool->ejection_.emplace(size);
  if (backend.slow_start) pool->slow_start_.emplace(*backend.slow_start, size);
  pool->candidates_.resize(size);
  pool->until_.resize(size);
  pool->may_.resize(size);
  pool->random_ = random_seed();
  return pool;
}

void Pool::add_server(const conf::BackendServer& from, const Pool* previous) {
  weights_.push_back(from.weight);
  bounds_.push_back({from.max_sessions.value_or(UINT32_MAX), from.backup});
  origins_.push_back(from.from);
  const std::string name = from.address.text();
  auto server = previous != nullptr ? find_again(*previous, name) : nullptr;
  if (!server) {
    server = std::make_shared<PoolServer>();
    server->name = name;
    server->address = from.address;
    server->weight = from.weight;
    server->configured_weight = from.weight;
    server->id = stable_hash(name);
  }
  servers_.push_back(std::move(server));
}

// Each at most once.
std::shared_ptr<PoolServer> Pool::find_again(const Pool& previous, const std::string& name) const {
  const auto fits = [&](const std::shared_ptr<PoolServer>& server) {
    return server && server->name == name &&
           std::find(servers_.begin(), servers_.end(), server) == servers_.end();
  };
  for (const auto& server : previous.servers_) {
    if (fits(server)) return server;
  }
  for (const auto& removed : previous.removed_) {
    if (auto server = removed.lock(); fits(server)) return server;
  }
  return nullptr;
}

void Pool::note_removed(const Pool& previous) {
  const auto note = [this](const std::shared_ptr<PoolServer>& server) {
    if (server && std::find(servers_.begin(), servers_.end(), server) == servers_.end())
      removed_.emplace_back(server);
  };
  for (const auto& server : previous.servers_) note(server);
  for (const auto& removed : previous.removed_) note(removed.lock());
}

void Pool::bind_sessions(const conf::Sticky& settings, const Pool* previous,
                         std::string_view sticky_secret) {
  std::vector<std::string> names;
  for (const auto& server : servers_) names.push_back(server->name);
  const bool was = previous != nullptr && previous->sticky_;
  sticky_.emplace(settings, name_, names, was ? &*previous->sticky_ : nullptr, sticky_secret);
  if (!settings.engine_io) return;
  sids_ = previous != nullptr && previous->sids_ ? previous->sids_ : std::make_shared<SidTable>();
}

void Pool::take_effect() {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    PoolServer& server = *servers_[i];
    if (server.configured_weight == weights_[i]) continue;
    server.configured_weight = weights_[i];
    server.weight.store(weights_[i], std::memory_order_relaxed);
  }
}

Lease Pool::pick(const Preference& preference, const std::vector<std::size_t>& tried,
                 Clock::time_point now) {
  const std::lock_guard lock(*mutex_);
  weigh(tried, now);
  Lease lease;
  std::size_t chosen = choose(preference);
  // Counted before the lock is left: the next pick sees this one.
  while (chosen != kNoServer && !servers_[chosen]->enter(bounds_[chosen].max_sessions)) {
    may_[chosen] = 0;
    lacks_room_ = true;
    chosen = choose(preference);
  }
  if (chosen == kNoServer) {
    lease.full_ = lacks_room_;
    return lease;
  }
  if (slow_start_) slow_start_->took(chosen);
  lease.pool_ = shared_from_this();
  lease.index_ = static_cast<std::uint32_t>(chosen);
  return lease;
}

void Pool::weigh(const std::vector<std::size_t>& tried, Clock::time_point now) {
  lacks_room_ = false;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const PoolServer& server = *servers_[i];
    candidates_[i] = {server.weight.load(std::memory_order_relaxed),
                      server.sessions.load(std::memory_order_relaxed), false, server.id,
                      server.warming.load(std::memory_order_relaxed)};
    const bool may = server.available() && !contains(tried, i);
    const bool room = candidates_[i].sessions < bounds_[i].max_sessions;
    may_[i] = may && room ? 1 : 0;
    lacks_room_ = lacks_room_ || (may && !room);
    until_[i] = server.backoff.until();
  }
  ejection_->look(until_, now);
}

std::size_t Pool::choose(const Preference& preference) {
  const std::size_t preferred = preference.server;
  if (preferred < servers_.size() && may_[preferred] != 0 && !ejection_->ejected(preferred)) {
    return preferred;
  }
  std::size_t chosen = choose_by_policy(false, preference);
  if (chosen == kNoServer) chosen = choose_by_policy(true, preference);
  return chosen == kNoServer ? last_resort() : chosen;
}

std::size_t Pool::choose_by_policy(bool backups, const Preference& preference) {
  bool any = false;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const bool eligible = may_[i] != 0 && !ejection_->ejected(i) && bounds_[i].backup == backups;
    candidates_[i].eligible = eligible;
    any = any || eligible;
  }
  if (!any) return kNoServer;
  spare_shedding();
  if (slow_start_) {
    slow_start_->apply(candidates_);
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      auto& warming = servers_[i]->warming;
      if (!candidates_[i].warming && warming.load(std::memory_order_relaxed)) {
        warming.store(false, std::memory_order_relaxed);
      }
    }
  }
  return picker_->pick(candidates_, {preference.key, draw()});
}

// Servers that give sessions up get none, unless there is no other.
void Pool::spare_shedding() {
  const auto shedding = [this](std::size_t i) {
    return servers_[i]->shedding.load(std::memory_order_relaxed);
  };
  bool other = false;
  for (std::size_t i = 0; i < servers_.size(); ++i)
    other = other || (candidates_[i].eligible && !shedding(i));
  for (std::size_t i = 0; other && i < servers_.size(); ++i)
    candidates_[i].eligible = candidates_[i].eligible && !shedding(i);
}

std::size_t Pool::last_resort() const {
  std::size_t first = kNoServer;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (may_[i] == 0 || !ejection_->ejected(i)) continue;
    if (first == kNoServer || until_[i] < until_[first]) first = i;
  }
  return first;
}

std::uint64_t Pool::draw() {
  return next_random(random_);
}

void Pool::failed(std::size_t index, Clock::time_point now, std::string_view why) {
  const std::lock_guard lock(*mutex_);
  PoolServer& server = *servers_[index];
  server.backoff.failed(now, static_cast<std::uint32_t>(draw() >> 32));
  server.record.ejected_for = why;
  server.record.last_error = why;
  server.record.last_error_at = now;
}

void Pool::note_error(std::size_t index, Clock::time_point now, std::string_view why) {
  const std::lock_guard lock(*mutex_);
  servers_[index]->record.last_error = why;
  servers_[index]->record.last_error_at = now;
}

void Pool::succeeded(std::size_t index, Clock::time_point now) {
  const std::lock_guard lock(*mutex_);
  PoolServer& server = *servers_[index];
  if (server.backoff.failures() == 0) return;
  server.backoff.succeeded();
  server.record.recovered = now;
}

void Pool::set_up(std::size_t index, bool up, Clock::time_point now, std::string_view why) {
  PoolServer& server = *servers_[index];
  if (up) {
    succeeded(index, now);
    server.warming.store(true, std::memory_order_relaxed);
  }
  server.up.store(up, std::memory_order_relaxed);
  const std::lock_guard lock(*mutex_);
  server.record.down_for = why;
  server.record.checked_since = now;
}

std::uint32_t Pool::trusts(std::size_t index, Clock::time_point now) {
  const std::lock_guard lock(*mutex_);
  const PoolServer& server = *servers_[index];
  if (server.backoff.active(now)) return 0;
  const std::uint32_t most = bounds_[index].max_sessions;
  const std::uint32_t open = server.sessions.load(std::memory_order_relaxed);
  const std::uint32_t room = open < most ? most - open : 0;
  return server.backoff.failures() == 0 ? room : std::min(room, 1U);
}

bool Pool::in_use() const {
  const auto used = [](const std::shared_ptr<PoolServer>& server) {
    return server && server->sessions.load(std::memory_order_relaxed) != 0;
  };
  return std::any_of(servers_.begin(), servers_.end(), used) ||
         std::any_of(removed_.begin(), removed_.end(),
                     [&](const auto& removed) { return used(removed.lock()); });
}

std::size_t Pool::index_of(std::uint64_t id) const {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (servers_[i]->id == id) return i;
  }
  return kNoServer;
}

std::optional<std::uint64_t> Pool::key_of(const wire::RequestHead& head,
                                          const conf::Ip* client) const {
  return hash_key_ ? hash_key(*hash_key_, head, client) : std::nullopt;
}

}  // namespace fairlead::balance
