#pragma once
// Handshakes and open sessions per client address: one table per route, striped, shared by the
// workers and by the snapshots that reloads make. Touched at a session's start and end only, never
// per frame. IPv6 counts by /64. Bounded in memory and in work: a new address makes a few others be
// looked at, and those with no open session and a full bucket are forgotten (a new entry would be
// the same). When none can be, the new address is not counted rather than refused.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "conf/config.h"
#include "conf/ip.h"
#include "proxy/rules/token_bucket.h"

namespace fairlead::rules {

class IpLimits {
 public:
  explicit IpLimits(const conf::Limits& limits,
                    std::size_t max_entries = conf::bounds::kIpTableEntries);
  // What is counted, and how often: shared by the limits that reloads make one after the other.
  struct Table;

  // After a reload: other limits over the same table, so that what is open stays counted. Where the
  // rate is another one, an address's bucket begins full.
  IpLimits(const conf::Limits& limits, const IpLimits& previous)
      : IpLimits(limits, previous.table_) {}

  IpLimits(const conf::Limits& limits, std::shared_ptr<Table> table);

  const std::shared_ptr<Table>& table() const { return table_; }

  enum class Answer : std::uint8_t { ok, rate, connections };

  struct Entered {
    Answer answer = Answer::ok;
    conf::Millis retry_after{0};  // answer rate: until the next token
    bool counted = false;         // leave() must follow; only where connections are limited
  };

  // Called for a handshake: counts it and, when ok, the session that begins. The rate is asked
  // first.
  Entered enter(const conf::Ip& ip, Clock::time_point now);
  // The session (entered with counted) ended.
  void leave(const conf::Ip& ip);

  // Open sessions counted for the address.
  std::uint32_t open(const conf::Ip& ip) const;
  std::size_t entries() const;

 private:
  struct Key {
    std::array<std::uint8_t, 16> bytes;
    bool operator==(const Key&) const = default;
  };

  struct KeyHash {
    KeyHash() : seed(0) {}

    explicit KeyHash(std::uint64_t random) : seed(random) {}

    std::size_t operator()(const Key& key) const;

    std::uint64_t seed;  // random: an attacker must not choose the buckets
  };

  struct Entry {
    TokenBucket bucket;
    std::uint32_t open = 0;
  };

  struct Stripe {
    mutable std::mutex mutex;
    std::unordered_map<Key, Entry, KeyHash> entries;
    std::size_t cursor = 0;  // the hash bucket to look at next for what can be forgotten
  };

  static constexpr std::size_t kStripes = 64;

  static Key key_of(const conf::Ip& ip);
  Stripe& stripe(const Key& key) const;
  bool idle(Entry& entry, Clock::time_point now) const;
  void forget_idle(Stripe& stripe, std::size_t buckets, Clock::time_point now) const;
  // The key's entry, a new one where there was none; null: no room.
  Entry* entry(Stripe& stripe, const Key& key, Clock::time_point now) const;

  std::optional<conf::Rate> rate_;
  std::optional<std::uint32_t> connections_;
  std::shared_ptr<Table> table_;
};

struct IpLimits::Table {
  explicit Table(std::size_t max_entries);

  std::size_t max_per_stripe;
  std::uint64_t seed;
  std::array<Stripe, kStripes> stripes;
};

}  // namespace fairlead::rules
