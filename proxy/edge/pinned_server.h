#pragma once
// A server's connection that one client has for itself between two of its requests, since the
// server may have authenticated it as that client (rules::binds_connection). It ends with the
// client's connection, with the server's end or word while nothing was asked, and with a request
// that goes elsewhere. So it never waits longer than the client's connection may.

#include <memory>

#include "proxy/balance/pool.h"
#include "proxy/net/stream.h"

namespace fairlead::edge {

class PinnedServer final : net::Stream::Handler {
 public:
  // Keeps the connection and reads it. May be called within a handler of the stream.
  void put(std::shared_ptr<balance::PoolServer> server, std::unique_ptr<net::Stream> stream);

  // The pool's index of the server there is an open connection to, or balance::kNoServer.
  std::size_t index_in(const balance::Pool& pool) const;

  // The connection, where there is one to that server and it is still quiet, which takes a recv
  // into the loop's relay buffer; else null, and what there was is closed.
  std::unique_ptr<net::Stream> take(const balance::PoolServer& server, net::Loop& loop);

  // Closes and destroys it. Not within a handler of the stream.
  void drop();

 private:
  void on_readable(net::Stream& stream) override { stream.close(); }

  void on_drained(net::Stream& stream) override { stream.close(); }

  std::shared_ptr<balance::PoolServer> server_;
  std::unique_ptr<net::Stream> stream_;  // null, or closed: there is none
};

}  // namespace fairlead::edge
