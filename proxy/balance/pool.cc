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

const std::shared_ptr<PoolServer>& Lease::server_ptr() const {
  return pool_->servers_[index_];
}

std::shared_ptr<Pool> Pool::make(const conf::Backend& backend, const Pool* previous) {
  const std::shared_ptr<Pool> pool(new Pool());
  pool->name_ = backend.name;
  for (const auto& from : backend.servers) pool->add_server(from, previous);
  if (previous != nullptr) pool->note_removed(*previous);
  if (backend.sticky) pool->bind_sessions(*backend.sticky, previous);
  if (backend.balance == conf::Backend::Balance::hash) pool->hash_key_ = backend.hash_key;
  pool->mutex_ = previous != nullptr ? previous->mutex_ : std::make_shared<std::mutex>();
  pool->picker_ = make_picker(backend.balance);
  pool->candidates_.resize(pool->servers_.size());
  pool->random_ = random_seed();
  return pool;
}

void Pool::add_server(const conf::BackendServer& from, const Pool* previous) {
  weights_.push_back(from.weight);
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

// Each at most once: two names may have resolved to one address.
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

void Pool::bind_sessions(const conf::Sticky& settings, const Pool* previous) {
  std::vector<std::string> names;
  for (const auto& server : servers_) names.push_back(server->name);
  const bool was = previous != nullptr && previous->sticky_;
  sticky_.emplace(settings, name_, names, was ? &*previous->sticky_ : nullptr);
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
  std::size_t last_resort = kNoServer;  // untried, in backoff, the first that leaves it
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const bool untried = servers_[i]->available() && !contains(tried, i);
    const bool avoided = servers_[i]->backoff.active(now);
    candidates_[i] = {servers_[i]->weight.load(std::memory_order_relaxed),
                      servers_[i]->sessions.load(std::memory_order_relaxed), untried && !avoided,
                      servers_[i]->id};
    if (untried && avoided &&
        (last_resort == kNoServer ||
         servers_[i]->backoff.until() < servers_[last_resort]->backoff.until())) {
      last_resort = i;
    }
  }
  std::size_t chosen = preference.server;
  if (chosen >= servers_.size() || !candidates_[chosen].eligible) {
    chosen = picker_->pick(candidates_, {preference.key, next_random(random_)});
    if (chosen == kNoServer) chosen = last_resort;
  }
  // Counted before the lock is left: the next pick sees this one.
  return chosen == kNoServer ? Lease() : Lease(shared_from_this(), chosen);
}

void Pool::connect_failed(std::size_t index, Clock::time_point now) {
  const std::lock_guard lock(*mutex_);
  servers_[index]->backoff.failed(now, static_cast<std::uint32_t>(next_random(random_) >> 32));
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
  const std::lock_guard lock(*mutex_);
  servers_[index]->backoff.succeeded();
}

}  // namespace fairlead::balance
