#pragma once
// Questions to name servers, over c-ares on a loop: the only files that include <ares.h>. c-ares
// has the servers (resolv.conf or ours), their order and failures, UDP with random ports, TCP where
// an answer was cut off, and the second try.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "proxy/net/loop.h"
#include "proxy/wire/dns_answer.h"

struct ares_channeldata;
struct event;

namespace fairlead::net {

class DnsChannel final : Timer::Handler {
 public:
  struct Reply {
    enum class Kind { answered, absent, failed };

    Kind kind = Kind::failed;
    std::string message;  // answered: with records
    std::string why;      // absent, failed
  };

  // May be called before query() returns. Must not destroy the channel.
  using Done = std::function<void(Reply)>;

  DnsChannel(Loop& loop, const conf::Dns& settings);
  // What is under way is never answered.
  ~DnsChannel();

  // Always ends, by an answer or by the timeouts. The name as it is: no hosts file, no search list.
  void query(const std::string& name, wire::DnsType type, Done done);

  // False: it could not begin, and every question fails with why.
  bool usable() const { return broken_.empty(); }

  unsigned under_way() const { return under_way_; }

  const std::vector<std::string>& search_domains() const { return domains_; }

  unsigned ndots() const { return ndots_; }

 private:
  struct Question;
  void read_search_list();
  void watch(int fd, bool readable, bool writable);
  void process(int readable, int writable);
  void arm();
  void on_timer(Timer& timer) override;

  Loop& loop_;
  Timer timer_;
  ares_channeldata* channel_ = nullptr;  // null: c-ares could not begin
  std::string broken_;                   // ... why
  std::map<int, event*> watched_;
  std::vector<std::string> domains_;
  unsigned ndots_ = 1;
  unsigned under_way_ = 0;
};

}  // namespace fairlead::net
