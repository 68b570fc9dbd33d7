#pragma once
// A worker's open connections to servers that wait for their next request. The last one put in is
// the first taken out, so that what is not needed grows old and is closed. One that says anything,
// or ends, while nothing was asked is closed at once.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "proxy/balance/pool.h"
#include "proxy/net/stream.h"

namespace fairlead::edge {

class IdlePool {
 public:
  // `most`: how many it keeps in all.
  explicit IdlePool(net::Loop& loop, std::size_t most = SIZE_MAX);
  ~IdlePool();
  IdlePool(const IdlePool&) = delete;
  IdlePool& operator=(const IdlePool&) = delete;

  // A connection to that server, being read; null: there is none. `probe`: looks once more whether
  // it is still quiet, which takes a recv into the relay buffer.
  std::unique_ptr<net::Stream> take(const balance::PoolServer& server, bool probe);

  // Keeps the connection, at most for `keep`; it is being read. False: there are
  // bounds::kIdlePerServer already, or as many as it may keep, and the connection stays the
  // caller's.
  bool put(const std::shared_ptr<balance::PoolServer>& server, std::unique_ptr<net::Stream>& stream,
           conf::Millis keep);

  // Closes all.
  void clear();

  std::size_t size() const;  // of those that are open

 private:
  class Shelf;

  net::Loop& loop_;
  std::size_t most_;
  std::size_t kept_ = 0;  // on all shelves, closed ones that are still to be swept included
  // By server, which stays the same object over reloads.
  std::unordered_map<const balance::PoolServer*, std::unique_ptr<Shelf>> shelves_;
};

// How long a connection may wait for its next request: a second less than the server's
// `Keep-Alive: timeout=N` says, bounds::kIdleKeep where it says nothing. Zero: not at all.
conf::Millis idle_time(std::string_view keep_alive);

}  // namespace fairlead::edge
