#include "proxy/balance/pace.h"

#include <algorithm>

namespace fairlead::balance {
namespace {

Clock::duration seconds(double count) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
}

}  // namespace

Pace::Pace(std::size_t count, double rate, Clock::time_point start,
           std::optional<Clock::time_point> last)
    : rate_(rate > 0 ? std::min(rate, kMost) : kAtOnce),
      paced_(SIZE_MAX),
      start_(start),
      last_(start) {
  if (!last || rate_ == kMost) return;
  const double time = std::chrono::duration<double>(*last - start).count();
  if (rate <= 0) {
    const double needed = time > 0 ? static_cast<double>(count) / time : kMost;
    rate_ = std::clamp(needed, kAtOnce, kMost);
    return;
  }
  last_ = std::max(start, *last - seconds(static_cast<double>(count) / kMost));
  paced_ = static_cast<std::size_t>(std::chrono::duration<double>(last_ - start).count() * rate_);
}

Clock::time_point Pace::at(std::size_t k, std::uint32_t random) const {
  const double within = static_cast<double>(random) / 4294967296.0;
  if (k < paced_) return start_ + seconds((static_cast<double>(k) + within) / rate_);
  return last_ + seconds((static_cast<double>(k - paced_) + within) / kMost);
}

Clock::time_point last_call(Clock::time_point now, Clock::time_point deadline) {
  if (deadline <= now) return now;
  const Clock::duration margin =
      std::min<Clock::duration>((deadline - now) / 10, std::chrono::seconds(1));
  return deadline - margin;
}

}  // namespace fairlead::balance
