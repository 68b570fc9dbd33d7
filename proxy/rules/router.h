#pragma once
// Which route a request takes.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"

namespace fairlead::rules {

struct RouteQuestion {
  std::string_view
      host;  // may carry a port; compared case-insensitively without it, a final dot ignored
  std::string_view path;          // without the query, in its normal form (wire::NormalPath)
  std::string_view subprotocols;  // Sec-WebSocket-Protocol: the offered list (all fields joined by
                                  // ", "), "" for none
  bool websocket = false;         // a handshake
};

// Order: an exact host before a wildcard (the longer first) before any host; then the longest path
// prefix that ends at a segment boundary ("/chat" takes /chat, /chat/ and /chat/a, not /chatter),
// where a route's path is normalised as the request's was;
// then a route whose subprotocols hold an offered token before one without; then kind websocket or
// http before any; then file order. A route that does not fit in kind or subprotocols is passed
// over.
class Router {
 public:
  explicit Router(const std::vector<conf::Route>& routes);

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  // Index into the routes given to the constructor, or kNone.
  std::size_t find(const RouteQuestion& question) const;

 private:
  struct Entry {
    std::string host;  // "" any; wildcard: ".example.org"
    bool wildcard = false;
    std::string path;  // without a trailing slash; "" for the root
    std::vector<std::string> subprotocols;
    conf::Route::Kind kind = conf::Route::Kind::any;
    std::size_t index = 0;
  };

  std::vector<Entry> entries_;  // in the order they are tried: the first that fits wins
};

}  // namespace fairlead::rules
