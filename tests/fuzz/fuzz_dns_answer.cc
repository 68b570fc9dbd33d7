// What a name server sends: the first byte is the type asked for, the rest the message. Whatever it
// is, the names that come out are short and of visible characters, and cut off anywhere it gives no
// more records than whole.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "proxy/wire/dns_answer.h"

using namespace fairlead::wire;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr DnsType kTypes[] = {DnsType::a, DnsType::aaaa, DnsType::srv};
  const DnsType type = kTypes[data[0] % 3];
  const std::string_view message(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read_dns_answer(message, type);
  if (!whole) return 0;
  // Ten bytes and a name of one byte at least, for each record.
  require((whole->addresses.size() + whole->services.size()) * 11 <= message.size());
  require(whole->ttl <= 0x7fffffff);
  for (const DnsService& service : whole->services) {
    require(service.target.size() <= 253);
    for (const char c : service.target) require(c > ' ' && c < 0x7f);
  }
  return 0;
}
