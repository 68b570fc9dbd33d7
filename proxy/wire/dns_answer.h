#pragma once
// What a DNS server answered (RFC 1035 section 4, RFC 3596, RFC 2782), as far as it leads to
// servers.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/ip.h"

namespace fairlead::wire {

enum class DnsType : std::uint16_t { a = 1, aaaa = 28, srv = 33 };

struct DnsService {
  std::string target;  // lower case, without a dot at its end; empty: there is no such service
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
};

struct DnsAnswer {
  std::vector<conf::Ip> addresses;   // of an A or AAAA question
  std::vector<DnsService> services;  // of an SRV question
  std::uint32_t ttl = 0;             // seconds: the shortest of the records that led here
};

// The records of that type of the question's name, or of the name that CNAMEs before them lead to.
// What else is in the answer does not matter, unless it cannot be read: nothing then. Whether the
// message answers the right question, with which result, is for the caller to know.
std::optional<DnsAnswer> read_dns_answer(std::string_view message, DnsType type);

}  // namespace fairlead::wire
