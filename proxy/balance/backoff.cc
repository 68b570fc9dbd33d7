#include "proxy/balance/backoff.h"

#include <algorithm>

namespace fairlead::balance {
namespace {

constexpr std::chrono::milliseconds kFirst{1'000};
constexpr std::chrono::milliseconds kLongest{30'000};
constexpr unsigned kMaxDoublings = 5;  // 32 s is past the longest

// `delay` times a factor from 0.8 up to 1.2, in steps of a microsecond.
std::chrono::microseconds jittered(std::chrono::microseconds delay, std::uint32_t random) {
  const auto fifth = delay / 5;
  const auto span = 2 * static_cast<std::uint64_t>(fifth.count());
  const auto part = (span * random) >> 32;
  return delay - fifth + std::chrono::microseconds(part);
}

}  // namespace

void Backoff::failed(Clock::time_point now, std::uint32_t random) {
  if (active(now)) return;
  const auto delay = std::min(kFirst * (1 << std::min(failures_, kMaxDoublings)), kLongest);
  if (failures_++ == 0) since_ = now;
  until_ = now + jittered(delay, random);
}

void Backoff::succeeded() {
  *this = Backoff();
}

}  // namespace fairlead::balance
