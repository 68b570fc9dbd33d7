#pragma once
// When each of many sessions is to go: one after the other at a rate, jittered, so that clients do
// not come back all at the same instant.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "proxy/balance/backoff.h"

namespace fairlead::balance {

class Pace {
 public:
  // "All at once" is this many per second and worker: a session's end takes a worker some 80 us,
  // and other sessions' frames must not wait.
  static constexpr double kAtOnce = 2'500;
  // When time runs out, or somebody asks for more.
  static constexpr double kMost = 10'000;

  // `rate`: sessions per second; 0: at once, and faster where they would not be through by `last`.
  // `last`: those whose turn would come later go from then on, at kMost; it is moved forward where
  // they are too many to be through soon after it.
  Pace(std::size_t count, double rate, Clock::time_point start,
       std::optional<Clock::time_point> last = std::nullopt);

  // The `k`th one's time, k from 0; it may exceed `count`, for late comers. `random` jitters it
  // within its share of time. Not before `start`.
  Clock::time_point at(std::size_t k, std::uint32_t random) const;

 private:
  double rate_;
  std::size_t paced_;  // so many go at the rate, the others at the end
  Clock::time_point start_;
  Clock::time_point last_;
};

// When what is left is told to go, so that it is over at `deadline`: a tenth of the time before it,
// at most a second.
Clock::time_point last_call(Clock::time_point now, Clock::time_point deadline);

}  // namespace fairlead::balance
