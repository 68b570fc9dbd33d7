#pragma once
// A thread's event loop: libevent's base, a clock read once per turn, the timers, the buffers every
// connection of the thread shares, and the point after each turn where the dead are buried.

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "conf/config.h"
#include "proxy/net/pause.h"
#include "proxy/net/pipe.h"
#include "proxy/net/timer.h"

struct event_base;
struct event;

namespace fairlead::net {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Turns until stop(). The calling thread becomes the loop's.
  void run();

  // From the loop's own thread; others post it through a Mailbox.
  void stop() { stopped_ = true; }

  // One turn: waits for events (or, not blocking, takes what is there), runs their handlers, fires
  // timers, then calls the turn-end hook. When a timer is due, what waits in the sockets is read
  // first: a deadline of a peer's silence is judged by all that it said in time.
  void turn(bool block);

  // The next turn does not wait for events: there is work that none of them will tell of.
  void turn_again() { again_ = true; }

  // Called after each turn, when no handler is running.
  void on_turn_end(std::function<void()> hook) { turn_end_ = std::move(hook); }

  // Read at most once per turn: good to a few milliseconds in a busy turn.
  TimePoint now() {
    if (now_stale_) read_clock();
    return now_;
  }

  // Tests turn the clock by hand.
  void advance_clock(Clock::duration by) {
    skew_ += by;
    now_stale_ = true;
  }

  TimerWheel& timers() { return timers_; }

  event_base* base() { return base_; }

  // The thread that runs the loop; before run(), the one that made it.
  bool in_thread() const { return std::this_thread::get_id() == thread_; }

  // One read of any connection goes here; `kHeadroom` bytes in front of it and `kTailroom` behind
  // are writable too, so that what the scanner left over can stand before what comes, and a chunk's
  // frame around it. Valid until the next handler.
  static constexpr std::size_t kHeadroom = 256;
  static constexpr std::size_t kTailroom = 16;
  // A record that began in an earlier read may come out on top of what this one brought.
  static constexpr std::size_t kRecordRoom = 16 * 1024;

  std::span<char> relay_buffer() {
    return {relay_.get() + kHeadroom, conf::bounds::kRelayBuffer + kRecordRoom};
  }

  // Ciphertext in and out, used within one TLS read or write only.
  std::span<char> cipher_buffer() { return {cipher_.get(), conf::bounds::kRelayBuffer}; }

  std::string& cipher_out() { return cipher_out_; }

  PipePool& pipes() { return pipes_; }

  // What every connection that this thread makes is given.
  const conf::TcpTimeouts& tcp_timeouts() const { return tcp_timeouts_; }

  void set_tcp_timeouts(const conf::TcpTimeouts& timeouts) { tcp_timeouts_ = timeouts; }

 private:
  void read_clock();
  TimePoint arm_wakeup();

  event_base* base_;
  event* wakeup_ = nullptr;  // makes epoll_wait return for the next timer
  TimePoint wakeup_at_ = TimePoint::max();
  bool stopped_ = false;
  bool again_ = false;
  bool now_stale_ = true;
  Pause pause_;
  TimePoint now_;
  Clock::duration skew_{};
  Clock::duration read_skew_{};  // as it was when now_ was read
  TimerWheel timers_;
  std::thread::id thread_;
  std::function<void()> turn_end_;
  std::unique_ptr<char[]> relay_;
  std::unique_ptr<char[]> cipher_;
  std::string cipher_out_;
  PipePool pipes_;
  conf::TcpTimeouts tcp_timeouts_;
};

}  // namespace fairlead::net
