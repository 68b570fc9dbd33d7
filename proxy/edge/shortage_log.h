#pragma once
// Log lines about connects that failed for want of something, at most one a second: a shortage
// meets every request there is.

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/net/timer.h"

namespace fairlead::edge {

class ShortageLog {
 public:
  static constexpr std::chrono::seconds kPace{1};

  // The line that names the server, the cause and the system's word for it, and how many were left
  // out since the last one; "" where it is too soon for another.
  std::string line(net::TimePoint now, std::string_view backend, std::string_view server,
                   std::string_view cause, std::string_view error);

 private:
  net::TimePoint next_{};
  std::uint64_t left_out_ = 0;
};

}  // namespace fairlead::edge
