// PROXY headers: each longer part of the input gives "more" until it gives an answer, and keeps to
// it; never more than the bound is asked for.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "conf/config.h"
#include "proxy/wire/proxy_protocol.h"

using namespace fairlead;
using State = wire::ProxyHeader::State;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool same(const wire::ProxyHeader& a, const wire::ProxyHeader& b) {
  if (a.state != b.state || a.size != b.size || a.tls != b.tls ||
      a.ends.has_value() != b.ends.has_value())
    return false;
  return !a.ends ||
         (a.ends->source == b.ends->source && a.ends->source_port == b.ends->source_port &&
          a.ends->destination == b.ends->destination &&
          a.ends->destination_port == b.ends->destination_port);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const wire::ProxyHeader whole = wire::parse_proxy_header(input);
  require(whole.state != State::more || size < conf::bounds::kProxyHeader);
  require(whole.size <= size && whole.size <= conf::bounds::kProxyHeader);
  require((whole.state == State::complete) == (whole.size != 0));
  for (std::size_t part = 0; part < size; ++part) {
    const wire::ProxyHeader header = wire::parse_proxy_header(input.substr(0, part));
    if (header.state == State::more) continue;
    require(same(header, whole));
    break;
  }
  return 0;
}
