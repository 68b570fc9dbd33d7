#include "conf/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "conf/names.h"

namespace fairlead::conf {
namespace {

constexpr std::size_t kV4Offset = 12;
constexpr std::array<std::uint8_t, kV4Offset> kV4Prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kV4PrefixBits = 96;
constexpr unsigned kIpBits = 128;
constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kService = "srv:";
constexpr std::size_t kUnixPathBytes = 107;  // sockaddr_un's sun_path without its NUL

// Decimal without sign, blanks or leading zeros, up to `most`.
std::optional<unsigned> parse_number(std::string_view text, unsigned most) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

std::optional<Address> parse_unix(std::string_view path) {
  const bool good =
      !path.empty() && path.size() <= kUnixPathBytes && path.find('\0') == std::string_view::npos;
  if (!good) return std::nullopt;
  Address address;
  address.kind = Address::Kind::unix_path;
  address.host = path;
  return address;
}

// The mask of the byte at `index` in a network of `prefix` bits.
std::uint8_t mask_of(std::size_t index, unsigned prefix) {
  const unsigned before = static_cast<unsigned>(index) * 8;
  const unsigned bits = prefix <= before ? 0 : std::min(prefix - before, 8U);
  return static_cast<std::uint8_t>(0xff00U >> bits);
}

}  // namespace

Ip Ip::v4(std::uint32_t host_order) {
  Ip ip;
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), ip.bytes.begin());
  for (std::size_t i = 0; i < 4; ++i) {
    ip.bytes[kV4Offset + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  }
  return ip;
}

std::optional<Ip> Ip::parse(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string copy(text);
  in_addr v4_address{};
  if (inet_pton(AF_INET, copy.c_str(), &v4_address) == 1) return v4(ntohl(v4_address.s_addr));
  Ip ip;
  if (inet_pton(AF_INET6, copy.c_str(), ip.bytes.data()) != 1) return std::nullopt;
  return ip;
}

bool Ip::is_v4() const {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), bytes.begin());
}

bool Ip::is_loopback() const {
  if (is_v4()) return bytes[kV4Offset] == 127;
  Ip one;
  one.bytes.back() = 1;
  return *this == one;
}

bool Ip::is_unspecified() const {
  return *this == Ip{} || *this == v4(0);
}

bool Ip::is_private() const {
  if (!is_v4()) return (bytes[0] & 0xfe) == 0xfc;
  const std::uint8_t first = bytes[kV4Offset];
  const std::uint8_t second = bytes[kV4Offset + 1];
  return first == 10 || (first == 172 && (second & 0xf0) == 16) || (first == 192 && second == 168);
}

bool Ip::is_link_local() const {
  if (is_v4()) return bytes[kV4Offset] == 169 && bytes[kV4Offset + 1] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

std::string Ip::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (!is_v4()) {
    inet_ntop(AF_INET6, bytes.data(), buffer.data(), buffer.size());
    return buffer.data();
  }
  // Asked for with every request: inet_ntop's way through sprintf takes longer than all else.
  char* to = buffer.data();
  for (std::size_t i = kV4Offset; i < bytes.size(); ++i) {
    if (i != kV4Offset) *to++ = '.';
    to = std::to_chars(to, to + 3, static_cast<unsigned>(bytes[i])).ptr;
  }
  return {buffer.data(), to};
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto ip = Ip::parse(text.substr(0, slash));
  if (!ip) return std::nullopt;
  Cidr cidr{*ip, kIpBits};
  if (slash == std::string_view::npos) return cidr;
  // By the way it is written: "::ffff:10.0.0.0/104" is the same network as "10.0.0.0/8".
  const bool four = text.find(':') == std::string_view::npos;
  const auto prefix = parse_number(text.substr(slash + 1), four ? 32 : kIpBits);
  if (!prefix) return std::nullopt;
  cidr.prefix = *prefix + (four ? kV4PrefixBits : 0);
  for (std::size_t i = 0; i < cidr.base.bytes.size(); ++i) {
    cidr.base.bytes[i] = cidr.base.bytes[i] & mask_of(i, cidr.prefix);
  }
  return cidr;
}

bool Cidr::contains(const Ip& ip) const {
  for (std::size_t i = 0; i < ip.bytes.size(); ++i) {
    if (((ip.bytes[i] ^ base.bytes[i]) & mask_of(i, prefix)) != 0) return false;
  }
  return true;
}

std::optional<Address> Address::parse(std::string_view text) {
  if (text.substr(0, kUnix.size()) == kUnix) return parse_unix(text.substr(kUnix.size()));
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port_number = parse_number(text.substr(colon + 1), 65535);
  if (!port_number) return std::nullopt;
  Address address;
  address.port = static_cast<std::uint16_t>(*port_number);
  std::string_view where = text.substr(0, colon);
  const bool bracketed = where.size() > 2 && where.front() == '[' && where.back() == ']';
  if (bracketed) where = where.substr(1, where.size() - 2);
  // RFC 3986 3.2.2: IPv6 in brackets, and only IPv6.
  if ((where.find(':') != std::string_view::npos) != bracketed) return std::nullopt;
  if (const auto parsed = Ip::parse(where)) {
    address.ip = *parsed;
    return address;
  }
  if (bracketed || !is_host_name(without_final_dot(where))) return std::nullopt;
  address.kind = Kind::name;
  address.host = lower(where);
  return address;
}

std::optional<Address> Address::parse_service(std::string_view text) {
  if (text.substr(0, kService.size()) != kService) return std::nullopt;
  const std::string_view name = text.substr(kService.size());
  if (!is_host_name(without_final_dot(name))) return std::nullopt;
  Address address;
  address.kind = Kind::service;
  address.host = lower(name);
  return address;
}

std::string Address::text() const {
  switch (kind) {
    case Kind::service:
      return std::string(kService) + host;
    case Kind::unix_path:
      return std::string(kUnix) + host;
    case Kind::name:
      return host + ":" + std::to_string(port);
    case Kind::ip:
      break;
  }
  const std::string plain = ip.text();
  return (ip.is_v4() ? plain : "[" + plain + "]") + ":" + std::to_string(port);
}

}  // namespace fairlead::conf
