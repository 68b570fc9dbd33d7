#pragma once
// Handshakes and open sessions per client address: one table per route, striped, shared by the workers. Touched at a
// session's start and end only, never per frame. IPv6 counts by /64. Bounded: when a stripe is full, addresses with no
// open session and a full bucket are forgotten first, and new ones are not counted rather than refused.

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "conf/config.h"
#include "conf/ip.h"
#include "proxy/rules/token_bucket.h"

namespace fairlead::rules {

class IpLimits {
 public:
  explicit IpLimits(const conf::Limits& limits, std::size_t max_entries = conf::bounds::kIpTableEntries);

  enum class Answer : std::uint8_t { ok, rate, connections };
  struct Entered {
    Answer answer = Answer::ok;
    conf::Millis retry_after{0};  // answer rate: until the next token
    bool counted = false;         // leave() must follow
  };
  // Called for a handshake. counts it and, when ok, the session that begins. The rate is asked first.
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
    std::uint64_t seed;  // random: an attacker must not choose the buckets
    std::size_t operator()(const Key& key) const;
  };
  struct Entry {
    TokenBucket bucket;
    std::uint32_t open = 0;
  };
  struct Stripe {
    mutable std::mutex mutex;
    std::unordered_map<Key, Entry, KeyHash> entries;
  };
  static constexpr std::size_t kStripes = 64;

  Stripe& stripe(const Key& key) const;

  std::optional<conf::Rate> rate_;
  std::optional<std::uint32_t> connections_;
  std::size_t max_per_stripe_;
  std::uint64_t seed_;
  mutable std::array<Stripe, kStripes> stripes_;
};

}  // namespace fairlead::rules
