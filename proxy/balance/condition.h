#pragma once
// How a server is, in the words of the admin endpoint, the commands and the metrics.

#include <cstdint>
#include <optional>
#include <string>

#include "proxy/balance/backoff.h"

namespace fairlead::balance {

// What of a server is remembered for those who look. A time of 0 is unknown.
struct ServerRecord {
  std::string last_error;             // of a connect, an answer or a check, in a few words
  Clock::time_point last_error_at{};  // meaningful with last_error
  std::string ejected_for;            // the last failure that counts for Backoff
  Clock::time_point recovered{};      // the first success after failures
  std::string down_for;               // what the checks found when they took it down
  Clock::time_point checked_since{};  // when the checks' verdict changed
};

struct Condition {
  // The first that fits counts: drain and down as they were set; down by the checks; ejected, that
  // is, what was tried last failed (Backoff::failing): with one server, too, which gets requests
  // nevertheless, since at most half of a backend's servers are kept from them.
  enum class State : std::uint8_t { ready, ejected, down, drain };

  State state = State::ready;
  bool works = true;                         // neither down by the checks nor failing
  std::string reason{};                      // of ejected and down
  std::optional<Clock::time_point> since{};  // nothing: since the start, or unknown
  Clock::duration left{};                    // ejected: how long yet; 0: the next request tries it
  std::string last_error{};
  Clock::time_point last_error_at{};  // meaningful with last_error
};

}  // namespace fairlead::balance
