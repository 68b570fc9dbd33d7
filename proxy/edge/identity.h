#pragma once
// Who a request or a session belongs to: what its log lines repeat.

#include <chrono>
#include <optional>

#include "conf/ip.h"
#include "proxy/edge/home.h"
#include "proxy/edge/runtime.h"
#include "proxy/observe/access_log.h"
#include "proxy/observe/log_text.h"
#include "proxy/rules/failure.h"

namespace fairlead::edge {

struct Identity {
  std::uint64_t conn_id = 0;
  conf::Ip client_ip;
  bool has_ip = false;  // false: the peer of a unix socket
  const ListenerRuntime* listener = nullptr;
  const RouteRuntime* route = nullptr;  // null: none was found
  observe::LogText text;
};

inline observe::Entry make_entry(std::string_view event, const Identity& identity) {
  using Text = observe::LogText;
  observe::Entry entry;
  entry.event = event;
  entry.conn_id = identity.conn_id;
  if (identity.has_ip) entry.client_ip = &identity.client_ip;
  if (identity.listener != nullptr) entry.listener = identity.listener->name;
  if (identity.route != nullptr) {
    entry.route = identity.route->settings->name;
    entry.backend = identity.route->settings->backend;
  }
  entry.request_id = identity.text.get(Text::request_id);
  entry.host = identity.text.get(Text::host);
  entry.path = identity.text.get(Text::path);
  entry.origin = identity.text.get(Text::origin);
  entry.subprotocol = identity.text.get(Text::subprotocol);
  entry.extensions = identity.text.get(Text::extensions);
  entry.sni = identity.text.get(Text::sni);
  return entry;
}

// The one line at an end of something, and its place among the last ones.
inline void tell_end(Home& home, rules::Cause cause, const observe::Entry& entry) {
  using std::chrono::duration_cast;
  if (observe::RecentEnds::wants(cause)) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    home.ends.add(cause, entry, duration_cast<std::chrono::milliseconds>(now).count());
  }
  home.access.write(entry);
}

// The hold on an address's count in a route's IpLimits (admission's `counted`).
class IpHold {
 public:
  IpHold() = default;

  IpHold(rules::IpLimits& limits, const conf::Ip& ip) : limits_(&limits), ip_(ip) {}

  IpHold(IpHold&& other) noexcept
      : limits_(std::exchange(other.limits_, nullptr)), ip_(other.ip_) {}

  IpHold& operator=(IpHold&& other) noexcept {
    std::swap(limits_, other.limits_);
    std::swap(ip_, other.ip_);
    return *this;
  }

  ~IpHold() {
    if (limits_ != nullptr) limits_->leave(ip_);
  }

 private:
  rules::IpLimits* limits_ = nullptr;
  conf::Ip ip_;
};

}  // namespace fairlead::edge
