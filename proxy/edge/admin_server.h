#pragma once
// The admin endpoint's sockets, in the main thread: HTTP/1.1 with the proxy's own strict parsers,
// one request a connection. Heads, bodies, connections and streams of events are bounded, every
// wait has a deadline.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/net/acceptor.h"
#include "proxy/net/loop.h"
#include "proxy/observe/admin.h"

namespace fairlead::edge {

class AdminServer final : net::Acceptor::Handler, net::Timer::Handler {
 public:
  // At so many, who is slowest to ask makes room for the next, then who is slowest to read.
  static constexpr std::size_t kConnections = 64;
  static constexpr int kMadeRoom = 8;  // so many of them go at once when descriptors run out
  static constexpr std::size_t kBodyBytes = 64 * 1024;
  static constexpr conf::Millis kRequestTime{10'000};  // from accept to the request's last byte
  // From there to a deferred answer, and from the answer to the connection's end.
  static constexpr conf::Millis kAnswerTime{10'000};
  static constexpr std::size_t kStreams = 16;
  static constexpr std::size_t kStreamBytes = 256 * 1024;  // held back for a slow client of one
  static constexpr conf::Millis kStreamStall{30'000};      // a client that takes nothing is let go
  static constexpr conf::Millis kStreamCheck{10'000};      // looks for that, and fills a silence

  using Handler = std::function<observe::AdminAnswer(const wire::RequestHead&, std::string_view)>;

  // `listening` outlives it.
  AdminServer(net::Loop& loop, int listening, Handler handler);
  ~AdminServer();

  void stop_accepting() { acceptor_.reset(); }

  std::size_t connections() const { return connections_.size() - dead_.size(); }

  std::size_t streams() const { return streams_; }

  // Ends those there are; new ones may come.
  void end_streams();

 private:
  class Connection;
  class Events;

  void on_accept(net::Fd fd, const net::PeerAddress& peer, std::size_t tag) override;

  void on_accept_paused(int error_number) override;

  void on_timer(net::Timer& timer) override;
  void died(std::uint64_t id);
  bool make_room(net::TimePoint before);     // of those that came before
  Connection* find(std::uint64_t id) const;  // null: it is gone

  net::Loop& loop_;
  Handler handler_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::uint64_t> dead_;  // destroyed once no handler of theirs is running
  std::size_t streams_ = 0;
  std::vector<std::function<void()>> ended_;  // streams; to be told so
  std::shared_ptr<AdminServer*> self_ = std::make_shared<AdminServer*>(this);  // while it lives
  net::Timer undertaker_;
  std::optional<net::Acceptor> acceptor_;
};

}  // namespace fairlead::edge
