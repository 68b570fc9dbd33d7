#include "proxy/wire/proxy_tlvs.h"

namespace fairlead::wire {
namespace {

constexpr unsigned kCrc32c = 0x03;
constexpr unsigned kSsl = 0x20;
constexpr unsigned kClientSsl = 0x01;      // of PP2_TYPE_SSL's first byte: over TLS
constexpr std::size_t kSslFixed = 1 + 4;   // that byte, and the result of a verification
constexpr std::size_t kTlvHeader = 1 + 2;  // type, length

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

struct Tlv {
  unsigned type = 0;
  std::string_view value;
};

// The first of `rest`, which goes on behind it. Nothing: it is cut short.
std::optional<Tlv> next_tlv(std::string_view& rest) {
  if (rest.size() < kTlvHeader) return std::nullopt;
  const std::size_t length = byte_at(rest, 1) << 8 | byte_at(rest, 2);
  if (rest.size() - kTlvHeader < length) return std::nullopt;
  const Tlv tlv{byte_at(rest, 0), rest.substr(kTlvHeader, length)};
  rest.remove_prefix(kTlvHeader + length);
  return tlv;
}

bool is_sound_ssl(std::string_view value) {
  if (value.size() < kSslFixed) return false;
  value.remove_prefix(kSslFixed);
  while (!value.empty()) {
    if (!next_tlv(value)) return false;
  }
  return true;
}

bool is_right_checksum(std::string_view header, std::string_view value) {
  if (value.size() != 4) return false;
  std::uint32_t told = 0;
  for (std::size_t i = 0; i < value.size(); ++i) told = told << 8 | byte_at(value, i);
  return told == crc32c(header, static_cast<std::size_t>(value.data() - header.data()));
}

}  // namespace

std::optional<ProxyTlvs> parse_proxy_tlvs(std::string_view header, std::size_t begin) {
  ProxyTlvs found;
  bool ssl = false;
  bool checksum = false;
  std::string_view rest = header.substr(begin);
  while (!rest.empty()) {
    const auto tlv = next_tlv(rest);
    if (!tlv) return std::nullopt;
    if (tlv->type == kSsl) {
      if (ssl || !is_sound_ssl(tlv->value)) return std::nullopt;
      ssl = true;
      found.tls = (byte_at(tlv->value, 0) & kClientSsl) != 0;
    } else if (tlv->type == kCrc32c) {
      if (checksum || !is_right_checksum(header, tlv->value)) return std::nullopt;
      checksum = true;
    }
  }
  return found;
}

std::uint32_t crc32c(std::string_view bytes, std::size_t hole) {
  constexpr std::uint32_t kPolynomial = 0x82f63b78;  // reflected
  std::uint32_t crc = 0xffffffff;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const bool zero = at >= hole && at - hole < 4;
    crc ^= zero ? 0 : byte_at(bytes, at);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? kPolynomial : 0);
  }
  return ~crc;
}

}  // namespace fairlead::wire
