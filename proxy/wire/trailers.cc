#include "proxy/wire/trailers.h"

#include <algorithm>
#include <array>

#include "proxy/wire/framing.h"
#include "proxy/wire/head_writer.h"

namespace fairlead::wire {
namespace {

constexpr std::array<std::string_view, 9> kPrefixes = {
    "X-Forwarded-", "X-Real-",   "X-Request-",      "Proxy-",  "Sec-",
    "If-",          "Fairlead-", "Access-Control-", "X-Accel-"};

// Besides those that BodyScanner refuses altogether.
constexpr std::array<std::string_view, 22> kNames = {"X-Forwarded",    "Proxy",
                                                     "traceparent",    "tracestate",
                                                     "Forwarded",      "Via",
                                                     "Keep-Alive",     "Max-Forwards",
                                                     "Cache-Control",  "Pragma",
                                                     "Range",          "Age",
                                                     "Date",           "Expires",
                                                     "Location",       "Retry-After",
                                                     "Vary",           "Origin",
                                                     "Warning",        "WWW-Authenticate",
                                                     "HTTP2-Settings", "Content-Location"};

}  // namespace

bool may_be_trailer(std::string_view name) {
  const auto same = [name](std::string_view other) { return same_folded(name, other); };
  const auto begins = [name](std::string_view prefix) {
    return same_folded(name.substr(0, prefix.size()), prefix);
  };
  return std::none_of(kNames.begin(), kNames.end(), same) &&
         std::none_of(kPrefixes.begin(), kPrefixes.end(), begins);
}

void append_trailers(std::string_view lines, std::string& out) {
  HeadWriter writer(out);
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find("\r\n"), lines.size());
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view name = line.substr(0, colon);
    if (colon < line.size() && may_be_trailer(name))
      writer.field(name, trim(line.substr(colon + 1)));
    lines.remove_prefix(std::min(end + 2, lines.size()));
  }
}

}  // namespace fairlead::wire
