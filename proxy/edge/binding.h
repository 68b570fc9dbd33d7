#pragma once
// What ties a request to a server, and what its answer teaches about the next ones: the Engine.IO
// sid, the sticky cookie, the hash key. An Exchange holds one and calls it at four points.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/balance/pool.h"
#include "proxy/rules/forward.h"
#include "proxy/wire/engine_io.h"

namespace fairlead::edge {

class Binding {
 public:
  explicit Binding(const balance::Pool& pool) : pool_(pool) {}

  // Before the dial: where the request would go. A sid comes before the cookie: two tabs share a
  // cookie, each has its sid.
  balance::Preference find(const wire::RequestHead& head, const rules::Peer& peer,
                           const rules::Client& client, balance::Clock::time_point now);

  // The Set-Cookie value of the answer, "" for none: on the first answer, and whenever the server
  // is not the one the cookie names; not where a sid led there.
  std::string set_cookie(std::size_t server, bool secure) const;

  // The answer's head, whose body follows. `chunked`: with its chunked coding.
  void on_answer_head(const wire::ResponseHead& head, bool chunked);
  // The next bytes of its body, BEFORE they go to the client: once it has the sid, its next request
  // may come to another worker. Free unless the answer may hold a sid.
  void on_answer_body(std::string_view bytes, std::size_t server, balance::Clock::time_point now);

 private:
  std::size_t find_sid(std::string_view query, balance::Clock::time_point now) const;

  const balance::Pool& pool_;
  std::size_t by_sid_ = balance::kNoServer;
  std::size_t by_cookie_ = balance::kNoServer;
  bool opening_ = false;                     // the request asks for a sid
  std::unique_ptr<wire::SidReader> reader_;  // while the answer may hold one
};

}  // namespace fairlead::edge
