#pragma once
// One listening socket, its app and its sessions. Sessions die in handlers and are buried at the
// turn's end.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/demo/app.h"
#include "proxy/demo/session.h"
#include "proxy/net/acceptor.h"
#include "proxy/net/loop.h"

namespace fairlead::demo {

struct Limits {
  std::size_t sessions = 1000;     // WebSocket sessions of a server; the next handshake: 503
  std::size_t connections = 1100;  // of a server; more are closed as they come
  std::chrono::milliseconds head{10'000};   // from accept to the end of the head
  std::chrono::milliseconds stall{30'000};  // a client that takes no byte for so long is dropped
  std::chrono::milliseconds ending{5'000};  // after the last answer or Close: for the client's end
};

class Server final : net::Acceptor::Handler {
 public:
  // `listening` and `app` outlive the server.
  Server(net::Loop& loop, int listening, App& app, const Limits& limits);

  // At the end of each turn.
  void bury();
  // Close 1001 to every session.
  void shut_down();

  std::size_t open() const { return open_; }

  // To every open session.
  void broadcast(std::string_view frame);

  // What the sessions need.
  net::Loop& loop() { return loop_; }

  App& app() { return app_; }

  const Limits& limits() const { return limits_; }

  // A session opens: its number, from 1; 0: there is no room.
  std::uint64_t admit();
  void left(std::uint64_t number);

  void died(std::uint64_t id) { dead_.push_back(id); }

 private:
  void on_accept(net::Fd fd, const net::PeerAddress& peer, std::size_t tag) override;

  void on_accept_paused(int) override {}

  net::Loop& loop_;
  App& app_;
  const Limits limits_;
  std::uint64_t last_id_ = 0;
  std::uint64_t last_number_ = 0;
  std::size_t open_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Session>> sessions_;
  std::vector<std::uint64_t> left_;  // numbers, to be told to the app
  std::vector<std::uint64_t> dead_;  // ids, to be destroyed
  net::Acceptor acceptor_;
};

}  // namespace fairlead::demo
