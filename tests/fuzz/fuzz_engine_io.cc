// The answer to an Engine.IO poll: the first byte is the size of the pieces, the second says
// whether the body is chunked, the rest is the body. Fed in pieces and whole, the reader finds the
// same sid, and only what is one. The rest is also read as a query.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/wire/engine_io.h"

using namespace fairlead::wire;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  const bool chunked = (data[1] & 1) != 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);

  SidReader whole(chunked);
  whole.feed(body);
  SidReader pieces(chunked);
  for (std::size_t at = 0; at < body.size(); at += piece) pieces.feed(body.substr(at, piece));
  require(whole.state() == pieces.state());
  if (whole.state() == SidReader::State::found) {
    require(is_sid(whole.sid()) && whole.sid() == pieces.sid());
  }
  const std::string_view sid = sid_of(body);
  require(sid.empty() || is_sid(sid));
  return 0;
}
