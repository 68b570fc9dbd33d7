#pragma once
// What `fairlead demo` serves: a page and two small WebSocket servers, echo and a chat room, on a
// thread and an event loop of their own. The proxy reaches them over loopback TCP like any server.

#include <memory>
#include <string>

#include "conf/ip.h"
#include "proxy/demo/server.h"

namespace fairlead::demo {

class Site {
 public:
  // Listens and serves. Null with `error` set (one line) when that cannot be.
  static std::unique_ptr<Site> start(std::string& error, const Limits& limits = {});
  // Sends Close 1001 to whoever takes it at once, stops and joins.
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  // 127.0.0.1 and the port the system chose. Echo answers handshakes on /echo; chat those on /chat,
  // and GET / with the page.
  conf::Address echo() const;
  conf::Address chat() const;

 private:
  struct Inside;
  explicit Site(std::unique_ptr<Inside> inside);

  std::unique_ptr<Inside> inside_;
};

}  // namespace fairlead::demo
