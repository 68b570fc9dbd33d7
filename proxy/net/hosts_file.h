#pragma once
// What names stand for without the DNS: the hosts file, the search list of resolv.conf(5), and
// which addresses a machine can reach at all.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "conf/ip.h"

namespace fairlead::net {

// The addresses of all of the file's lines that have the name (hosts(5)). `name`: lower case.
std::vector<conf::Ip> addresses_in_hosts(std::string_view text, std::string_view name);

// /etc/hosts, or nothing: it is not there or larger than 1 MiB.
std::optional<std::string> read_hosts_file();

// The names to be asked for, in their order, the first that exists counts (resolv.conf(5): search,
// ndots).
std::vector<std::string> search_names(const std::string& name,
                                      const std::vector<std::string>& domains, unsigned ndots);

// Those of all its interfaces, loopback included. Nothing: they cannot be listed.
std::optional<std::vector<conf::Ip>> addresses_of_this_machine();

// Which kinds of addresses this machine has itself. IPv4 it always has.
struct Families {
  bool ipv6 = false;           // other than loopback and link-local
  bool ipv6_loopback = false;  // ::1

  static Families of_this_machine();

  // Whether a server may be there: an address of a kind the machine does not have cannot be
  // dialled, and what is no address of one machine in every network is no server's: unspecified
  // (0.0.0.0/8, ::), multicast, link-local (169.254.0.0/16, fe80::/10), reserved (240.0.0.0/4).
  // The same for both families; an IPv4 address in IPv6 form is that IPv4 address.
  bool reach(const conf::Ip& ip) const;
};

// Who says that a name has an address.
enum class AddressSource {
  machine,      // the hosts file, or the name is localhost
  name_server,  // anybody who can answer in its place
};

// Whether a server may be at the address: one of the family that `settings` ask for, within reach,
// and not on this machine where a name server alone says so.
bool may_serve(const conf::Ip& ip, AddressSource source, const conf::Dns& settings,
               const Families& families);

}  // namespace fairlead::net
