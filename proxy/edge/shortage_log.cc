#include "proxy/edge/shortage_log.h"

#include <fmt/format.h>

#include <utility>

namespace fairlead::edge {

std::string ShortageLog::line(net::TimePoint now, std::string_view backend, std::string_view server,
                              std::string_view cause, std::string_view error) {
  if (now < next_) {
    ++left_out_;
    return "";
  }
  next_ = now + kPace;
  std::string text = fmt::format("backend \"{}\": connecting to {} failed: {} ({})", backend,
                                 server, cause, error);
  const std::uint64_t left_out = std::exchange(left_out_, 0);
  if (left_out != 0) text += fmt::format("; {} more since the last such line", left_out);
  return text;
}

}  // namespace fairlead::edge
