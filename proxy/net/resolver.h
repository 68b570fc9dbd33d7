#pragma once
// Names to addresses, asynchronously and with their TTL: the hosts file first, then the DNS. A host
// is asked for by A and AAAA, a service by SRV and then its targets.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/config.h"
#include "proxy/net/hosts_file.h"
#include "proxy/net/loop.h"

namespace fairlead::net {

class DnsChannel;

class Resolver {
 public:
  struct Place {
    conf::Ip ip;
    std::uint16_t port = 0;  // this and the following: a service's alone
    std::uint16_t priority = 0;
    std::uint16_t weight = 0;
  };

  // The kinds of addresses nobody knows of: their question failed.
  struct Unanswered {
    bool ipv4 = false;
    bool ipv6 = false;

    bool any() const { return ipv4 || ipv6; }
  };

  struct Answer {
    enum class Kind {
      found,   // may be no place at all: the service's owner says that there is none (RFC 2782)
      absent,  // the name does not exist, or has no address this machine could reach
      failed,  // nobody knows: no answer, or none of use
    };

    Kind kind = Kind::failed;
    Unanswered unanswered;  // of these there may be more places
    std::vector<Place> places;
    std::optional<std::uint32_t> ttl;  // seconds; nothing: the hosts file has none
    std::string why;                   // not found, or something is unanswered: for people
  };

  // Called once, maybe before ask() returns. Must not destroy the resolver, nor
  // ask() it.
  using Done = std::function<void(Answer)>;

  Resolver(Loop& loop, conf::Dns settings);
  // What is under way is never answered.
  ~Resolver();

  // A host, or with `service` an SRV name. Always ends, by an answer or by the timeouts.
  void ask(const std::string& name, bool service, Done done);

  const conf::Dns& settings() const { return settings_; }

 private:
  struct HostQuestion;
  struct ServiceQuestion;
  void reopen_if_changed();
  Answer found(const std::vector<conf::Ip>& ips, AddressSource source) const;
  std::optional<Answer> without_dns(const std::string& name, bool written) const;
  void ask_host(const std::string& given, bool written, Done done);
  void ask_service(const std::string& name, Done done);

  Loop& loop_;
  conf::Dns settings_;
  Families families_;
  std::int64_t system_changed_ = 0;  // when resolv.conf was written
  std::unique_ptr<DnsChannel> channel_;
};

}  // namespace fairlead::net
