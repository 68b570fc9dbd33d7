#pragma once
// A worker's part of what is asked about sessions: it looks through its own, a slice a turn, so
// that no frame waits for a list of all.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/edge/home.h"
#include "proxy/net/mailbox.h"
#include "proxy/observe/session_query.h"

namespace fairlead::edge {

class Tunnel;

// A session's place in a list.
struct Ranked {
  double key = 0;  // the least comes first
  std::uint64_t id = 0;
  auto operator<=>(const Ranked&) const = default;
};

struct Ranking {
  std::vector<Ranked> first;  // in order
  std::size_t total = 0;      // that match
};

// A session as JSON.
struct Described {
  std::uint64_t id = 0;
  std::string json;
};

class Inspector final : net::Timer::Handler {
 public:
  static constexpr std::size_t kSlice = 500;                    // sessions a turn
  static constexpr std::chrono::microseconds kSliceTime{1000};  // or as many as this takes
  // Rates are those since a session was looked at last, if that is not too long ago, nor too short;
  // else a second look follows after kSample.
  static constexpr conf::Millis kSample{1000};
  static constexpr conf::Millis kOldSample{10'000};
  static constexpr conf::Millis kForget{30'000};  // unasked for so long, it keeps no sample

  Inspector(Home& home, net::Mailbox& mailbox);

  // Each answers later, in the worker's thread; not at all if the worker stops.
  //
  // The first `offset + limit` of this worker's.
  void rank(const observe::SessionQuery& query, std::function<void(Ranking)> done);
  // Those of `ids` that are there still.
  void describe(std::vector<std::uint64_t> ids, std::function<void(std::vector<Described>)> done);
  // How many were closed.
  void close(const observe::SessionFilter& filter, std::function<void(std::size_t)> done);
  enum class Closed : std::uint8_t { no_such, ending_already, yes };
  void close(std::uint64_t id, std::function<void(Closed)> done);

 private:
  struct Sample {
    net::TimePoint at;
    std::uint64_t messages = 0;  // both ways
    std::uint64_t bytes = 0;
    double messages_rate = 0;
    double bytes_rate = 0;
    bool known = false;  // the rates are
  };

  struct Walk;
  using Visit = std::function<bool(Tunnel&)>;  // false: that was enough

  struct Later {
    net::TimePoint at;
    std::function<void()> look;
  };

  void walk(Visit visit, std::function<void()> done);
  void step(const std::shared_ptr<Walk>& walk);
  void rank(const observe::SessionQuery& query, std::function<void(Ranking)> done, bool again);
  void describe(std::shared_ptr<const std::vector<std::uint64_t>> ids,
                std::function<void(std::vector<Described>)> done, bool again);
  const Sample& sample(const Tunnel& session);
  void look_later(std::function<void()> look);
  void on_timer(net::Timer& timer) override;

  Home& home_;
  net::Mailbox& mailbox_;
  std::unordered_map<std::uint64_t, Sample> samples_;
  std::vector<Later> later_;  // second looks
  net::TimePoint asked_;      // for rates, the last time
  net::Timer timer_;          // for these, and to forget
};

}  // namespace fairlead::edge
