#include "proxy/wire/proxy_protocol.h"

#include <algorithm>
#include <array>

#include "conf/config.h"
#include "proxy/wire/chars.h"
#include "proxy/wire/proxy_tlvs.h"

namespace fairlead::wire {
namespace {

using State = ProxyHeader::State;

// Version 1: "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443" CRLF (section 2.1).
constexpr std::string_view kV1 = "PROXY ";
constexpr std::size_t kV1Max = 107;  // CRLF included

// Version 2: a signature, version and command, family and transport, the length of the rest
// (section 2.2).
constexpr std::string_view kV2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kV2Fixed = 16;
constexpr std::size_t kV2Max = conf::bounds::kProxyHeader - kV2Fixed;
constexpr unsigned kVersion = 2;
constexpr unsigned kProxyCommand = 1;
constexpr unsigned kInet = 1;
constexpr unsigned kInet6 = 2;
constexpr unsigned kUnix = 3;
constexpr unsigned kStream = 1;
constexpr unsigned kDatagram = 2;
constexpr std::size_t kUnixPath = 108;

constexpr ProxyHeader kMore{State::more, 0, std::nullopt, false};
constexpr ProxyHeader kError{State::error, 0, std::nullopt, false};

// Whether `bytes` begins with `signature`, as far as both go.
bool agrees(std::string_view bytes, std::string_view signature) {
  const std::size_t size = std::min(bytes.size(), signature.size());
  return bytes.substr(0, size) == signature.substr(0, size);
}

std::string_view next_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end == rest.size() ? end : end + 1);
  return word;
}

// No sign, no leading zero, no more than 65535.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > UINT16_MAX) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

std::optional<conf::Ip> parse_ip(std::string_view text, bool v6) {
  if ((text.find(':') != text.npos) != v6) return std::nullopt;
  return conf::Ip::parse(text);
}

// "TCP4 " has been taken off: two addresses, two ports, single spaces, nothing else.
std::optional<ProxyHeader::Ends> parse_ends(std::string_view text, bool v6) {
  const auto source = parse_ip(next_word(text), v6);
  const auto destination = parse_ip(next_word(text), v6);
  const auto source_port = parse_port(next_word(text));
  const auto destination_port = parse_port(text);
  if (!source || !destination || !source_port || !destination_port) return std::nullopt;
  return ProxyHeader::Ends{*source, *source_port, *destination, *destination_port};
}

// The line without its CRLF and without "PROXY ".
ProxyHeader parse_v1_line(std::string_view line, std::size_t size) {
  const std::string_view rest = line;
  const std::string_view family = next_word(line);
  if (family == "UNKNOWN")  // what follows is ignored
    return {State::complete, size, std::nullopt, false};
  if ((family != "TCP4" && family != "TCP6") || rest.size() == family.size()) return kError;
  const auto ends = parse_ends(line, family == "TCP6");
  if (!ends) return kError;
  return {State::complete, size, ends, false};
}

ProxyHeader parse_v1(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, kV1Max);
  const std::size_t end = static_cast<std::size_t>(
      std::find_if_not(line.begin(), line.end(),
                       [](char c) { return c == ' ' || is_visible_char(c); }) -
      line.begin());
  if (end == kV1Max) return kError;
  if (end == line.size()) return kMore;
  if (line[end] != '\r') return kError;
  if (end + 1 == line.size()) return end + 1 == kV1Max ? kError : kMore;
  if (line[end + 1] != '\n') return kError;
  return parse_v1_line(line.substr(kV1.size(), end - kV1.size()), end + 2);
}

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

std::uint16_t port_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

conf::Ip ip_at(std::string_view bytes, std::size_t at, bool v6) {
  if (!v6) {
    return conf::Ip::v4(byte_at(bytes, at) << 24 | byte_at(bytes, at + 1) << 16 |
                        byte_at(bytes, at + 2) << 8 | byte_at(bytes, at + 3));
  }
  conf::Ip ip;
  for (std::size_t i = 0; i < ip.bytes.size(); ++i) {
    ip.bytes[i] = static_cast<std::uint8_t>(byte_at(bytes, at + i));
  }
  return ip;
}

// What the addresses of a family take.
std::size_t addresses_size(unsigned family) {
  switch (family) {
    case kInet:
      return 2 * (4 + 2);
    case kInet6:
      return 2 * (16 + 2);
    case kUnix:
      return 2 * kUnixPath;
    default:
      return 0;
  }
}

ProxyHeader::Ends ends_at(std::string_view addresses, bool v6) {
  const std::size_t ip = v6 ? 16 : 4;
  return {ip_at(addresses, 0, v6), port_at(addresses, 2 * ip), ip_at(addresses, ip, v6),
          port_at(addresses, 2 * ip + 2)};
}

// Version and command, then family and transport; each is checked as soon as it is there. Values no
// version 2 sender may use are an error (section 2.2).
bool is_v2_start(std::string_view bytes) {
  if (bytes.size() > 12) {
    const unsigned command = byte_at(bytes, 12) & 0xf;
    if (byte_at(bytes, 12) >> 4 != kVersion || command > kProxyCommand) return false;
    if (command != kProxyCommand) return true;  // LOCAL: the family is ignored
  }
  if (bytes.size() > 13) {
    return byte_at(bytes, 13) >> 4 <= kUnix && (byte_at(bytes, 13) & 0xf) <= kDatagram;
  }
  return true;
}

ProxyHeader parse_v2(std::string_view bytes) {
  if (!is_v2_start(bytes)) return kError;
  if (bytes.size() < kV2Fixed) return kMore;
  const std::size_t length = port_at(bytes, 14);
  const bool local = (byte_at(bytes, 12) & 0xf) != kProxyCommand;
  const unsigned family = byte_at(bytes, 13) >> 4;
  const unsigned transport = byte_at(bytes, 13) & 0xf;
  if (length > kV2Max || (!local && length < addresses_size(family))) return kError;
  if (bytes.size() < kV2Fixed + length) return kMore;
  ProxyHeader header{State::complete, kV2Fixed + length, std::nullopt, local};
  // Of UNSPEC nobody knows where its TLVs begin.
  if (const std::size_t addresses = addresses_size(family); !local && addresses != 0) {
    const auto tlvs = parse_proxy_tlvs(bytes.substr(0, header.size), kV2Fixed + addresses);
    if (!tlvs) return kError;
    header.tls = tlvs->tls;
  }
  if (!local && transport == kStream && (family == kInet || family == kInet6)) {
    header.ends = ends_at(bytes.substr(kV2Fixed), family == kInet6);
  }
  return header;
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) {
  const std::size_t shortest = std::min(kV1.size(), kV2.size());
  if (agrees(bytes, kV1)) return bytes.size() < shortest ? kMore : parse_v1(bytes);
  if (agrees(bytes, kV2)) return bytes.size() < kV2.size() ? kMore : parse_v2(bytes);
  return kError;
}

}  // namespace fairlead::wire
