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
#include "proxy/balance/complaints.h"
#include "proxy/balance/condition.h"
#include "proxy/balance/ejection.h"
#include "proxy/balance/hash_key.h"
#include "proxy/balance/picker.h"
#include "proxy/balance/sid_table.h"
#include "proxy/balance/slow_start.h"
#include "proxy/balance/sticky.h"

namespace fairlead::balance {

// What a person or the API wants of a server. Neither `drain` nor `down` gets new sessions.
enum class AdminState : std::uint8_t { ready, drain, down };

// The atomics are read and written relaxed, from any thread.
struct PoolServer {
  std::string name;  // "10.0.0.11:8080", as logs and the sticky id have it
  conf::Address address;
  std::atomic<std::uint32_t> weight{1};
  std::uint32_t configured_weight = 1;     // the file's; the main thread's alone
  std::uint64_t id = 0;                    // stable_hash of the name
  std::atomic<std::uint32_t> sessions{0};  // open, and exchanges under way
  std::atomic<AdminState> admin{AdminState::ready};
  std::atomic<Clock::rep> admin_since{0};  // when that was set; 0: never
  std::atomic<bool> up{true};              // the active checks' verdict (Pool::set_up)
  std::atomic<bool> checked{false};        // there was a check
  // Not seen with its share of the sessions since it came up (SlowStart). Of servers that begin
  // together the first pick finds that they have it.
  std::atomic<bool> warming{true};
  // It gives sessions up (Rebalance): others are picked, as long as there are any, and its cookies
  // do not bind. Set by the main thread.
  std::atomic<bool> shedding{false};
  std::atomic<std::uint64_t> connect_failures{0};  // since the start
  Complaints connect_complaints;
  Complaints answer_complaints;
  Backoff backoff;  // under the lock its backend's pools share, as what follows
  ServerRecord record;

  // Whether it may get new sessions at all.
  bool available() const {
    return up.load(std::memory_order_relaxed) &&
           admin.load(std::memory_order_relaxed) == AdminState::ready;
  }

  void set_admin(AdminState state, Clock::time_point now) {
    if (admin.exchange(state, std::memory_order_relaxed) != state)
      admin_since.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }

  // Counts one session more, unless it had `most`: exact, whoever else does so.
  bool enter(std::uint32_t most);
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
  Lease(std::shared_ptr<Pool> pool, std::size_t index);  // counts up, room or not
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();

  explicit operator bool() const { return pool_ != nullptr; }

  const PoolServer& server() const;
  const std::shared_ptr<PoolServer>& server_ptr() const;

  Pool& pool() const { return *pool_; }

  std::size_t index() const { return index_; }

  // Of an empty one that pick() gave: there were servers, but all at their max_sessions.
  bool full() const { return full_; }

  void reset();

 private:
  friend class Pool;

  std::shared_ptr<Pool> pool_;
  std::uint32_t index_ = 0;
  bool full_ = false;
};

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  // The servers' addresses are resolved: kind ip or unix_path. `previous`: the backend's pool
  // before a reload. Servers that stay (by name) are the same objects, so their counts and states
  // live on; a random sticky secret and the sids do too. Nothing of `previous` changes before
  // take_effect(). `sticky_secret`: as Sticky's `made`.
  static std::shared_ptr<Pool> make(const conf::Backend& backend, const Pool* previous = nullptr,
                                    std::string_view sticky_secret = {});

  // The reload is certain: weights the file has changed reach the servers; others, which the API
  // may have set, stay. Main thread.
  void take_effect();

  // Picks a server that may have the session: ready, up, with room, and not in `tried` (by index).
  // Of these, in this order:
  //  - the preferred one, unless it is ejected; a backup too,
  //  - the policy's choice among those that are neither ejected nor backups,
  //  - its choice among the backups that are not ejected,
  //  - the ejected one whose backoff ends first: an outage must not last longer than the servers'.
  // An empty lease: there is none (Lease::full tells why).
  Lease pick(const Preference& preference, const std::vector<std::size_t>& tried,
             Clock::time_point now);

  // A connect or a handshake with a server failed, by the server's fault: it is ejected for a while
  // (Ejection). A session's end is never a failure. `why`: in a few words.
  void failed(std::size_t index, Clock::time_point now, std::string_view why = {});
  // Something else that was wrong with it, to be shown: Condition::last_error.
  void note_error(std::size_t index, Clock::time_point now, std::string_view why);
  // It answered.
  void succeeded(std::size_t index, Clock::time_point now = {});
  // The active checks' verdict. One that comes up begins anew: nothing that failed before counts,
  // and it starts slowly. `why`: of one that is down.
  void set_up(std::size_t index, bool up, Clock::time_point now = {}, std::string_view why = {});

  // How it is, for those who look.
  Condition condition(std::size_t index, Clock::time_point now) const;

  // How many more sessions it may be trusted with: none while it is in backoff, one after a
  // failure, to try it; otherwise as many as max_sessions leaves.
  std::uint32_t trusts(std::size_t index, Clock::time_point now);

  // One of its servers, or of those it has lost, has sessions.
  bool in_use() const;

  const std::string& name() const { return name_; }

  std::size_t size() const { return servers_.size(); }

  PoolServer& server(std::size_t index) const { return *servers_[index]; }

  const std::vector<std::shared_ptr<PoolServer>>& servers() const { return servers_; }

  // The name the server's address was resolved from, as written; empty: it was written itself.
  const std::string& origin(std::size_t index) const { return origins_[index]; }

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

  // The file's; two pools that share a server may differ in it.
  struct Bounds {
    std::uint32_t max_sessions;
    bool backup;
  };

  Pool() = default;
  void add_server(const conf::BackendServer& from, const Pool* previous);
  std::shared_ptr<PoolServer> find_again(const Pool& previous, const std::string& name) const;
  void note_removed(const Pool& previous);
  void bind_sessions(const conf::Sticky& settings, const Pool* previous,
                     std::string_view sticky_secret);
  void weigh(const std::vector<std::size_t>& tried, Clock::time_point now);
  std::size_t choose(const Preference& preference);
  std::size_t choose_by_policy(bool backups, const Preference& preference);
  void spare_shedding();
  std::size_t last_resort() const;
  std::uint64_t draw();

  std::string name_;
  std::vector<std::shared_ptr<PoolServer>> servers_;
  std::vector<std::uint32_t> weights_;  // the file's
  std::vector<Bounds> bounds_;
  std::vector<std::string> origins_;
  // Taken out by earlier reloads and alive yet with their sessions: they may come back.
  std::vector<std::weak_ptr<PoolServer>> removed_;
  std::optional<conf::Rebalance> rebalance_;
  std::optional<Sticky> sticky_;
  std::shared_ptr<SidTable> sids_;
  std::optional<conf::HashKey> hash_key_;
  std::shared_ptr<std::mutex> mutex_;  // all that follows, and the servers' backoff
  std::unique_ptr<Picker> picker_;
  std::optional<Ejection> ejection_;
  std::optional<SlowStart> slow_start_;
  std::vector<Candidate> candidates_;     // scratch
  std::vector<Clock::time_point> until_;  // scratch: the ends of the backoffs
  std::vector<char> may_;                 // of the pick under way: ready, up, with room, untried
  bool lacks_room_ = false;               // ... one would be in may_ but for its room
  std::uint64_t random_ = 0;
};

}  // namespace fairlead::balance
