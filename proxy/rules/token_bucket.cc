#include "proxy/rules/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace fairlead::rules {
namespace {

// The longest answer, so that a deadline computed from it does not overflow.
constexpr conf::Millis kLongestWait = std::chrono::hours(24 * 365);

}  // namespace

TokenBucket::TokenBucket(const conf::Rate& rate, Clock::time_point now)
    : rate_(rate.per_second), burst_(std::max(rate.burst, 1.0)), tokens_(burst_), last_(now) {}

bool TokenBucket::is_for(const conf::Rate& rate) const {
  return conf::Rate{rate_, burst_} == conf::Rate{rate.per_second, std::max(rate.burst, 1.0)};
}

// A million refills of a fraction each may miss the sum by this much: a token that is due must not
// be late for it.
double TokenBucket::slack() const {
  return burst_ * 1e-9;
}

void TokenBucket::refill(Clock::time_point now) {
  // Workers read their clocks at different moments: a little backwards is no news.
  if (now <= last_) return;
  const double seconds = std::chrono::duration<double>(now - last_).count();
  tokens_ = std::min(burst_, tokens_ + seconds * rate_);
  last_ = now;
}

std::uint64_t TokenBucket::available(Clock::time_point now) {
  refill(now);
  return tokens_ + slack() < 1 ? 0 : static_cast<std::uint64_t>(tokens_ + slack());
}

bool TokenBucket::take(double n, Clock::time_point now) {
  refill(now);
  if (tokens_ + slack() < n) return false;
  tokens_ -= n;
  return true;
}

void TokenBucket::charge(double n, Clock::time_point now) {
  refill(now);
  tokens_ -= n;
}

conf::Millis TokenBucket::wait(double n, Clock::time_point now) {
  refill(now);
  const double missing = std::min(n, burst_) - tokens_;
  if (missing <= slack()) return conf::Millis{0};
  if (rate_ <= 0) return kLongestWait;
  // Half the slack, so that rounding cannot make the answer a hair too short for take().
  const double millis = std::ceil((missing - slack() / 2) / rate_ * 1000);
  if (millis >= static_cast<double>(kLongestWait.count())) return kLongestWait;
  return conf::Millis{static_cast<conf::Millis::rep>(millis)};
}

bool TokenBucket::full(Clock::time_point now) {
  refill(now);
  return tokens_ + slack() >= burst_;
}

}  // namespace fairlead::rules
