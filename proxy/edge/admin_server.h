#pragma once
// The admin endpoint's sockets, in the main thread: HTTP/1.1 with the proxy's own strict parsers,
// one request a connection. Heads, bodies and connections are bounded, every wait has a deadline.

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
  static constexpr std::size_t kConnections = 64;  // more are closed as they come
  static constexpr std::size_t kBodyBytes = 64 * 1024;
  static constexpr conf::Millis kRequestTime{10'000};  // from accept to the request's last byte
  static constexpr conf::Millis kAnswerTime{10'000};   // from there to the connection's end

  using Handler = std::function<observe::AdminAnswer(const wire::RequestHead&, std::string_view)>;

  // `listening` outlives it.
  AdminServer(net::Loop& loop, int listening, Handler handler);
  ~AdminServer();

  void stop_accepting() { acceptor_.reset(); }

  std::size_t connections() const { return connections_.size(); }

 private:
  class Connection;

  void on_accept(net::Fd fd, const net::PeerAddress& peer, std::size_t tag) override;

  void on_accept_paused(int) override {}

  void on_timer(net::Timer& timer) override;
  void died(std::uint64_t id);

  net::Loop& loop_;
  Handler handler_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::uint64_t> dead_;  // destroyed once no handler of theirs is running
  net::Timer undertaker_;
  std::optional<net::Acceptor> acceptor_;
};

}  // namespace fairlead::edge
