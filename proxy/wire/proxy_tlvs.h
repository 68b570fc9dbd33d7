#pragma once
// What stands behind the addresses of a PROXY header of version 2: type, length, value
// (haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2.2).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fairlead::wire {

struct ProxyTlvs {
  bool tls = false;  // PP2_TYPE_SSL says that the client came over TLS
};

// `header`: the whole of it, from its signature on; its TLVs begin at `begin`, which is within it
// or its end. Nothing: one reaches beyond the end, PP2_TYPE_SSL or a sub-TLV of it is cut short,
// either of these or PP2_TYPE_CRC32C stands there twice, or the checksum is wrong.
std::optional<ProxyTlvs> parse_proxy_tlvs(std::string_view header, std::size_t begin);

// CRC-32c (RFC 3720 appendix B.4) of `bytes`, those in [hole, hole + 4) taken for zero.
std::uint32_t crc32c(std::string_view bytes, std::size_t hole = SIZE_MAX);

}  // namespace fairlead::wire
