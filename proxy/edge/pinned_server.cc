#include "proxy/edge/pinned_server.h"

#include <algorithm>

namespace fairlead::edge {

void PinnedServer::put(std::shared_ptr<balance::PoolServer> server,
                       std::unique_ptr<net::Stream> stream) {
  server_ = std::move(server);
  stream_ = std::move(stream);
  stream_->set_handler(*this);
  stream_->want_read(true);
}

std::size_t PinnedServer::index_in(const balance::Pool& pool) const {
  if (!stream_ || !stream_->is_open()) return balance::kNoServer;
  const auto& servers = pool.servers();
  const auto found = std::find(servers.begin(), servers.end(), server_);
  return found == servers.end() ? balance::kNoServer
                                : static_cast<std::size_t>(found - servers.begin());
}

std::unique_ptr<net::Stream> PinnedServer::take(const balance::PoolServer& server,
                                                net::Loop& loop) {
  if (!stream_ || !stream_->is_open()) return nullptr;
  if (server_.get() == &server) {
    const net::ReadResult got = stream_->read(loop.relay_buffer());
    if (got.n == 0 && got.status == net::IoStatus::ok) return std::move(stream_);
  }
  stream_->close();
  return nullptr;
}

void PinnedServer::drop() {
  stream_.reset();
  server_.reset();
}

}  // namespace fairlead::edge
