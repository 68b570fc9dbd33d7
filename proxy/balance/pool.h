#pragma once
// A backend's servers with their counts, shared by all workers. Locked once per pick (a handshake),
// never per frame: counts are atomics.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "conf/config.h"
#include "proxy/balance/backoff.h"
#include "proxy/balance/hash_key.h"
#include "proxy/balance/picker.h"
#include "proxy/balance/sid_table.h"
#include "proxy/balance/sticky.h"

namespace fairlead::balance {

// What a person or the API set.
enum class AdminState : std::uint8_t { ready, drain, down };

struct PoolServer {
  std::string name;  // "10.0.0.11:8080", as logs and the sticky id have it
  conf::Address address;
  std::uint32_t weight = 1;
  std::uint64_t id = 0;  // stable_hash of the name
  std::atomic<std::uint32_t> sessions{0};
  std::atomic<AdminState> admin{AdminState::ready};
  std::atomic<bool> up{true};  // the active checks' verdict
  // It gives sessions up (Rebalance): others are picked, as long as there are any, and its cookies
  // do not bind. Set by the main thread.
  std::atomic<bool> shedding{false};

  bool takes_sessions() const {
    return admin.load(std::memory_order_relaxed) == AdminState::ready &&
           up.load(std::memory_order_relaxed);
  }
};

// What a request says about its server. An index alone is one too.
struct Preference {
  Preference(std::size_t index) : server(index) {}  // NOLINT: implicit on purpose

  Preference(std::size_t index, std::optional<std::uint64_t> hash) : server(index), key(hash) {}

  std::size_t server = kNoServer;    // it is bound to, by sid or cookie; kNoServer: to none
  std::optional<std::uint64_t> key;  // for balance = "hash"
};

class Pool;

// One session's or exchange's hold on a server: counted from pick to destruction. Keeps the pool
// alive. Movable.
class Lease {
 public:
  Lease() = default;
  Lease(std::shared_ptr<Pool> pool, std::size_t index);  // counts up
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();

  explicit operator bool() const { return pool_ != nullptr; }

  const PoolServer& server() const;

  Pool& pool() const { return *pool_; }

  std::size_t index() const { return index_; }

  void reset();

 private:
  std::shared_ptr<Pool> pool_;
  std::uint32_t index_ = 0;
};

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  // The servers' addresses are resolved: kind ip or unix_path.
  static std::shared_ptr<Pool> make(const conf::Backend& backend);

  // Picks a server that is not in `tried` (by index). The preferred server is taken if it
  // is untried, ready, up and not in backoff, else the policy decides; one that is not ready or not
  // up is never picked. When all untried ones are in backoff,
  // the one whose backoff ends first is tried all the same: an outage must not last longer than the
  // server's. An empty lease: all have been tried.
  Lease pick(const Preference& preference, const std::vector<std::size_t>& tried,
             Clock::time_point now);

  void connect_failed(std::size_t index, Clock::time_point now);
  void connect_succeeded(std::size_t index);

  // How many more sessions it may be trusted with: none while it is in backoff, one after a failed
  // connect, to try it; otherwise no bound.
  std::uint32_t trusts(std::size_t index, Clock::time_point now);

  const std::string& name() const { return name_; }

  std::size_t size() const { return servers_.size(); }

  const PoolServer& server(std::size_t index) const { return *servers_[index]; }

  const std::vector<std::shared_ptr<PoolServer>>& servers() const { return servers_; }

  const std::optional<conf::Rebalance>& rebalance() const { return rebalance_; }

  const std::optional<Sticky>& sticky() const { return sticky_; }

  // Where Engine.IO sessions are; null unless sticky.engine_io.
  const std::shared_ptr<SidTable>& sids() const { return sids_; }

  // The server of that id (PoolServer), or kNoServer: it is gone.
  std::size_t index_of(std::uint64_t id) const;

  // The request's key where balance is "hash". `client`: null where it has no address.
  std::optional<std::uint64_t> key_of(const wire::RequestHead& head, const conf::Ip* client) const;

 private:
  friend class Lease;
  Pool() = default;
  void spare_shedding();

  std::string name_;
  std::vector<std::shared_ptr<PoolServer>> servers_;
  std::optional<conf::Rebalance> rebalance_;
  std::optional<Sticky> sticky_;
  std::shared_ptr<SidTable> sids_;
  std::optional<conf::HashKey> hash_key_;
  std::mutex mutex_;  // picker_, backoff_, candidates_, random_
  std::unique_ptr<Picker> picker_;
  std::vector<Backoff> backoff_;
  std::vector<Candidate> candidates_;  // scratch
  std::uint64_t random_ = 0;
};

}  // namespace fairlead::balance
