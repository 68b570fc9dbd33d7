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

Lease::Lease(std::shared_ptr<Pool> pool, std::size_t index)
    : pool_(std::move(pool)), index_(static_cast<std::uint32_t>(index)) {
  pool_->servers_[index_]->sessions.fetch_add(1, std::memory_order_relaxed);
}

Lease::Lease(Lease&& other) noexcept
    : pool_(std::move(other.pool_)), index_(std::exchange(other.index_, 0)) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  reset();
  pool_ = std::move(other.pool_);
  index_ = std::exchange(other.index_, 0);
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

std::shared_ptr<Pool> Pool::make(const conf::Backend& backend) {
  const std::shared_ptr<Pool> pool(new Pool());
  pool->name_ = backend.name;
  std::vector<std::string> names;
  for (const auto& from : backend.servers) {
    auto server = std::make_shared<PoolServer>();
    server->name = from.address.text();
    server->address = from.address;
    server->weight = from.weight;
    server->id = stable_hash(server->name);
    names.push_back(server->name);
    pool->servers_.push_back(std::move(server));
  }
  pool->rebalance_ = backend.rebalance;
  if (backend.sticky) pool->sticky_.emplace(*backend.sticky, backend.name, names);
  if (backend.sticky && backend.sticky->engine_io) pool->sids_ = std::make_shared<SidTable>();
  if (backend.balance == conf::Backend::Balance::hash) pool->hash_key_ = backend.hash_key;
  pool->picker_ = make_picker(backend.balance);
  pool->backoff_.resize(names.size());
  pool->candidates_.resize(names.size());
  pool->random_ = random_seed();
  return pool;
}

Lease Pool::pick(const Preference& preference, const std::vector<std::size_t>& tried,
                 Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  std::size_t last_resort = kNoServer;  // untried, in backoff, the first that leaves it
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const bool untried = !contains(tried, i) && servers_[i]->takes_sessions();
    const bool avoided = backoff_[i].active(now);
    candidates_[i] = {servers_[i]->weight, servers_[i]->sessions.load(std::memory_order_relaxed),
                      untried && !avoided, servers_[i]->id};
    if (untried && avoided &&
        (last_resort == kNoServer || backoff_[i].until() < backoff_[last_resort].until())) {
      last_resort = i;
    }
  }
  std::size_t chosen = preference.server;
  if (chosen >= servers_.size() || !candidates_[chosen].eligible) {
    spare_shedding();
    chosen = picker_->pick(candidates_, {preference.key, next_random(random_)});
    if (chosen == kNoServer) chosen = last_resort;
  }
  // Counted before the lock is left: the next pick sees this one.
  return chosen == kNoServer ? Lease() : Lease(shared_from_this(), chosen);
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

void Pool::connect_failed(std::size_t index, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  backoff_[index].failed(now, static_cast<std::uint32_t>(next_random(random_) >> 32));
}

std::uint32_t Pool::trusts(std::size_t index, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (backoff_[index].active(now)) return 0;
  return backoff_[index].failures() == 0 ? UINT32_MAX : 1;
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

void Pool::connect_succeeded(std::size_t index) {
  const std::lock_guard lock(mutex_);
  backoff_[index].succeeded();
}

}  // namespace fairlead::balance
