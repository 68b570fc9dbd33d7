#pragma once
// The one cross-thread door: work posted from any thread runs in the loop's thread, in order.

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "proxy/net/loop.h"
#include "proxy/net/socket.h"

namespace fairlead::net {

class Mailbox {
 public:
  explicit Mailbox(Loop& loop);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Any thread. What is still inside when the mailbox goes is dropped unrun.
  void post(std::function<void()> work);

 private:
  void deliver();

  Fd eventfd_;
  event* event_;
  std::mutex mutex_;
  std::vector<std::function<void()>> queue_;
};

// SIGTERM and friends as calls in the loop's thread. One object per process.
class Signals {
 public:
  Signals(Loop& loop, const std::vector<int>& numbers, std::function<void(int)> handler);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  std::function<void(int)> handler_;
  std::vector<event*> events_;
};

}  // namespace fairlead::net
