#pragma once
// The last refusals and ends, for whoever looks at them. One per worker, not thread-safe; as much
// as a worker will ever keep is made at once, and an end costs the copying of a few short texts.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/ip.h"
#include "proxy/observe/access_log.h"
#include "proxy/rules/failure.h"

namespace fairlead::observe {

// One of them. Texts are cut to kTextBytes.
struct End {
  static constexpr std::size_t kTextBytes = 128;

  std::uint64_t number = 0;  // of its worker, from 1
  std::int64_t at_ms = 0;    // since the epoch
  rules::Cause cause = rules::Cause::done;
  bool session = false;  // else a request that was refused or cut off
  std::uint64_t conn_id = 0;
  bool has_ip = false;
  conf::Ip client_ip;
  std::string route;
  std::string server;
  std::string path;
  std::string origin;
  int status = 0;
  int close_code = 0;
  std::string close_reason;
  double duration_ms = 0;
};

// Everyday ends: they are many, and must not push out what somebody should look at.
bool is_usual(rules::Cause cause);

class RecentEnds {
 public:
  static constexpr std::size_t kEach = 50;  // of the usual, and of the others

  // Whether it is kept at all: answered requests and quiet ends of connections are not.
  static bool wants(rules::Cause cause);

  void add(rules::Cause cause, const Entry& entry, std::int64_t at_ms);
  // Those with higher numbers, in their order.
  std::vector<End> since(std::uint64_t number) const;

 private:
  struct Ring {
    std::vector<End> ends{kEach};
    std::size_t next = 0;
  };

  Ring usual_;
  Ring others_;
  std::uint64_t last_ = 0;
};

// [{...}], as they stand.
std::string ends_json(const std::vector<End>& ends);

}  // namespace fairlead::observe
