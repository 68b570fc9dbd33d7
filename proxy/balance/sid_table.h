#pragma once
// Which server an Engine.IO session is at: sid -> server, shared by the workers, striped; touched
// once a request that has a sid, never on the path of a frame. Entries live for a time after their
// last use and are bounded in number.
//
// Only what a server's own answer named gets in, so a client cannot fill the table with inventions.
// One that opens sessions by the thousand can, so nobody is turned out for a newcomer: a full
// stripe refuses new sids (the cookie is left to them) until some expire, and those of sessions
// that never came back with their sid expire soon.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "conf/config.h"
#include "proxy/balance/backoff.h"

namespace fairlead::balance {

class SidTable {
 public:
  // A client polls again, or upgrades, at once: one that has not after a minute will not.
  static constexpr std::chrono::seconds kUntilUsed{60};
  // A session in use sends a request at least every pingInterval + pingTimeout (45 s unless the app
  // sets more); one that upgraded needs its entry no longer.
  static constexpr std::chrono::seconds kAfterUse{300};

  explicit SidTable(std::size_t max_entries = conf::bounds::kSidTableEntries);

  // `server`: a Candidate's id. A sid that is known stays where it is.
  void learn(std::string_view sid, std::uint64_t server, Clock::time_point now);
  // Its server, and a new span of life; nothing if it is unknown or expired.
  std::optional<std::uint64_t> use(std::string_view sid, Clock::time_point now);

  std::size_t entries() const;

 private:
  struct Entry {
    std::string sid;
    std::uint64_t server;
    Clock::time_point until;
    bool used;
  };

  using List = std::list<Entry>;

  // In each list all have the same span of life: the first is the one that expires first.
  struct Stripe {
    mutable std::mutex mutex;
    List fresh;
    List used;
    std::unordered_map<std::string_view, List::iterator> by_sid;  // views into the entries
  };

  // Sids are the servers' random numbers, so std::hash needs no seed: a client cannot choose them.
  static constexpr std::size_t kStripes = 64;

  Stripe& stripe(std::string_view sid);
  static void expire(Stripe& stripe, List& list, std::size_t most, Clock::time_point now);

  std::size_t max_per_stripe_;
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace fairlead::balance
