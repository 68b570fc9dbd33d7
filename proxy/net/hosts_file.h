#pragma once
// What names stand for without the DNS: the hosts file, the search list of resolv.conf(5), and
// which addresses a machine can reach at all.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

// Which kinds of addresses this machine has itself. IPv4 it always has.
struct Families {
  bool ipv6 = false;           // other than loopback and link-local
  bool ipv6_loopback = false;  // ::1

  static Families of_this_machine();

  // Whether a server may be there: an address of a kind the machine does not have cannot be
  // dialled, and what is no address of one machine (0.0.0.0, multicast, link-local) is no server's.
  bool reach(const conf::Ip& ip) const;
};

}  // namespace fairlead::net
