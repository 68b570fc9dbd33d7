#include "proxy/net/loop.h"

#include <event2/event.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "proxy/net/event_memory.h"

namespace fairlead::net {
namespace {

// One thread per base: no locks. No changelist: it would tell epoll about a closed descriptor after
// another worker has been given the same number.
event_base* make_base() {
  separate_event_memory();
  event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_base* base = event_base_new_with_config(config);
  event_config_free(config);
  if (base == nullptr) throw std::runtime_error("libevent could not make an event base");
  return base;
}

}  // namespace

Loop::Loop()
    : base_(make_base()),
      now_(Clock::now()),
      timers_(now_),
      thread_(std::this_thread::get_id()),
      relay_(new char[kHeadroom + conf::bounds::kRelayBuffer + kRecordRoom + kTailroom]),
      cipher_(new char[conf::bounds::kRelayBuffer]) {
  wakeup_ = evtimer_new(
      base_,
      [](evutil_socket_t, short, void* self) {
        static_cast<Loop*>(self)->wakeup_at_ = TimePoint::max();
      },
      this);
  cipher_out_.reserve(conf::bounds::kRelayBuffer + 4096);
}

Loop::~Loop() {
  event_free(wakeup_);
  event_base_free(base_);
}

void Loop::read_clock() {
  now_ = Clock::now() + skew_;
  read_skew_ = skew_;
  now_stale_ = false;
}

// Returns when the next timer is due.
TimePoint Loop::arm_wakeup() {
  TimePoint next = timers_.next();
  if (next != TimePoint::max()) next = std::max(next, pause_.until() + skew_);
  if (next == wakeup_at_) return next;
  wakeup_at_ = next;
  if (next == TimePoint::max()) {
    evtimer_del(wakeup_);
    return next;
  }
  auto wait = std::max(Clock::duration::zero(), next - (Clock::now() + skew_));
  auto us = std::chrono::duration_cast<std::chrono::microseconds>(wait).count();
  timeval delay{};
  delay.tv_sec = us / 1'000'000;
  delay.tv_usec = us % 1'000'000;
  evtimer_add(wakeup_, &delay);
  return next;
}

void Loop::turn(bool block) {
  const TimePoint before = now_ - read_skew_;
  const TimePoint due = arm_wakeup();
  now_stale_ = true;  // whatever was read before the wait is old behind it
  const bool waits = block && !std::exchange(again_, false);
  event_base_loop(base_, waits ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
  if (now() >= due) {
    event_base_loop(base_, EVLOOP_NONBLOCK);
    pause_.woke(due - skew_, before, now_ - skew_);
  }
  if (now() - skew_ >= pause_.until()) timers_.advance(now_);
  if (turn_end_) turn_end_();
  now_stale_ = true;
}

void Loop::run() {
  thread_ = std::this_thread::get_id();
  stopped_ = false;
  while (!stopped_) turn(true);
}

}  // namespace fairlead::net
