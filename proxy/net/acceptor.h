#pragma once
// Accepts on a listening socket that all workers share. Out of descriptors it pauses and comes back
// by itself.

#include <chrono>

#include "proxy/net/loop.h"
#include "proxy/net/socket.h"

struct event;

namespace fairlead::net {

class Acceptor final : Timer::Handler {
 public:
  class Handler {
   public:
    // Takes the descriptor. `tag` is the acceptor's, as given.
    virtual void on_accept(Fd fd, const PeerAddress& peer, std::size_t tag) = 0;
    // Accepting stops for a while: no descriptors or memory. Called once per pause.
    virtual void on_accept_paused(int error_number) = 0;

   protected:
    ~Handler() = default;
  };

  // `listening` stays the caller's and outlives the acceptor.
  Acceptor(Loop& loop, int listening, std::size_t tag, Handler& handler);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  void set_tag(std::size_t tag) { tag_ = tag; }

 private:
  static constexpr int kBatch = 16;  // so that a storm of connects does not starve the relays
  static constexpr std::chrono::milliseconds kPause{250};

  void accept_some();
  void on_timer(Timer& timer) override;

  Loop& loop_;
  int listening_;
  std::size_t tag_;
  Handler& handler_;
  event* event_;
  Timer resume_;
};

}  // namespace fairlead::net
