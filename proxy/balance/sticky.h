#pragma once
// The sticky cookie (interface: section 6). Its value is an HMAC over backend and server under the
// secret: it names no address, cannot be made without the secret, and means the same on every node
// and after every reload.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "proxy/wire/head.h"

namespace fairlead::balance {

class Sticky {
 public:
  // `servers` are the servers' names, in the pool's order. An empty secret in `settings`: a random
  // one, or the one that `previous` (before a reload) made up, so that its cookies stay good, or
  // `made`, which another process did.
  Sticky(const conf::Sticky& settings, std::string_view backend,
         const std::vector<std::string>& servers, const Sticky* previous = nullptr,
         std::string_view made = {});

  // The server a request's Cookie fields name (RFC 6265 5.4: name=value pairs), or kNoServer: no
  // cookie, forged, or gone. Of several cookies of the name the first that names a server counts;
  // eight are looked at.
  std::size_t find(const wire::Fields& fields) const;
  // The Set-Cookie value that binds to the server: "fairlead=...; Path=/; HttpOnly; SameSite=Lax[;
  // Max-Age=N][; Secure]".
  std::string set_cookie(std::size_t server, bool secure) const;

  // The secret, for a process that takes over; "" if it is the configuration's.
  std::string_view made_secret() const {
    return random_secret_ ? std::string_view(settings_.secret) : std::string_view();
  }

 private:
  conf::Sticky settings_;
  bool random_secret_;
  std::vector<std::string> ids_;
};

}  // namespace fairlead::balance
