#pragma once
// IP addresses and networks as plain values: no sockets, no look-ups.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::conf {

// An IPv4 or IPv6 address. IPv4 is kept in its v4-mapped form (::ffff:a.b.c.d, RFC 4291 2.5.5.2),
// so that a client that comes over a dual-stack socket equals the same client over IPv4.
struct Ip {
  std::array<std::uint8_t, 16> bytes{};

  static Ip v4(std::uint32_t host_order);
  // "10.0.0.1", "::1", "[::1]" is not accepted here (brackets belong to a host:port). Nothing on
  // bad text.
  static std::optional<Ip> parse(std::string_view text);

  bool is_v4() const;  // v4-mapped
  bool is_loopback() const;
  bool is_unspecified() const;  // 0.0.0.0, ::
  bool is_private() const;      // RFC 1918, RFC 4193
  bool is_link_local() const;   // RFC 3927, RFC 4291 2.5.6
  std::string text() const;     // canonical: "10.0.0.1", "::1" (RFC 5952)
  auto operator<=>(const Ip&) const = default;
};

// A network, "10.0.0.0/8", "fd00::/8"; a bare address is a network of one.
struct Cidr {
  Ip base;
  unsigned prefix = 128;  // of the 128-bit form: "10.0.0.0/8" has 104

  static std::optional<Cidr> parse(std::string_view text);
  bool contains(const Ip& ip) const;
  bool operator==(const Cidr&) const = default;
};

// Where to listen or to connect: an address with a port, a name with a port, a unix socket, or a
// service, whose servers and ports the DNS has (RFC 2782).
struct Address {
  enum class Kind { ip, name, service, unix_path };

  Kind kind = Kind::ip;
  Ip ip;
  // kind name: the host name; service: the name asked for; unix_path: the path. A name keeps the
  // dot at its end, if it has one: it is looked up without the search list.
  std::string host;
  std::uint16_t port = 0;

  // "0.0.0.0:443", "[::]:443", "localhost:3000", "unix:/run/app.sock". Nothing on bad text.
  static std::optional<Address> parse(std::string_view text);
  // "srv:_ws._tcp.example.com": only where servers are named. Nothing on bad text.
  static std::optional<Address> parse_service(std::string_view text);
  std::string text() const;  // the one of these that made it gives the same value again

  // Whether the DNS has to be asked where it is.
  bool is_named() const { return kind == Kind::name || kind == Kind::service; }

  bool operator==(const Address&) const = default;
};

}  // namespace fairlead::conf
