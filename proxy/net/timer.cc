#include "proxy/net/timer.h"

#include <algorithm>
#include <bit>

namespace fairlead::net {

void Timer::arm(TimePoint deadline) {
  disarm();
  tick_ = std::max(wheel_.tick_of(deadline), wheel_.now_tick_ + 1);
  wheel_.insert(*this);
}

void Timer::arm_by(TimePoint deadline) {
  if (tick_ != 0 && tick_ <= wheel_.tick_of(deadline)) return;
  arm(deadline);
}

void Timer::disarm() {
  if (tick_ == 0) return;
  TimerWheel::unlink(*this);
  tick_ = 0;
}

std::uint64_t TimerWheel::tick_of(TimePoint time) const {
  if (time <= start_) return 0;
  auto since = std::chrono::ceil<std::chrono::milliseconds>(time - start_).count();
  return (static_cast<std::uint64_t>(since) + kTick.count() - 1) / kTick.count();
}

void TimerWheel::link(Timer*& head, Timer& timer) {
  timer.next_ = head;
  if (head != nullptr) head->link_ = &timer.next_;
  head = &timer;
  timer.link_ = &head;
}

void TimerWheel::unlink(Timer& timer) {
  *timer.link_ = timer.next_;
  if (timer.next_ != nullptr) timer.next_->link_ = timer.link_;
  timer.next_ = nullptr;
  timer.link_ = nullptr;
}

// The level is chosen by the distance; within a level the slot is the deadline's own digit, so that
// a slot comes up exactly when its timers have less than one slot of that level to go.
void TimerWheel::insert(Timer& timer) {
  constexpr std::uint64_t kReach = (std::uint64_t{1} << (kBits * kLevels)) - 1;
  std::uint64_t at = std::min(timer.tick_, now_tick_ + kReach);
  std::uint64_t distance = at - now_tick_;
  unsigned level = 0;
  while (distance >> (kBits * (level + 1)) != 0) ++level;
  auto slot = static_cast<unsigned>((at >> (kBits * level)) & (kSlots - 1));
  link(slots_[level][slot], timer);
  occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::cascade(unsigned level) {
  auto slot = static_cast<unsigned>((now_tick_ >> (kBits * level)) & (kSlots - 1));
  occupied_[level] &= ~(std::uint64_t{1} << slot);
  Timer* list = nullptr;
  while (Timer* timer =
             slots_[level][slot]) {  // taken out first: insert() may choose this slot again
    unlink(*timer);
    link(list, *timer);
  }
  while (list != nullptr) {
    Timer* timer = list;
    unlink(*timer);
    insert(*timer);
  }
}

std::uint64_t TimerWheel::next_tick() const {
  std::uint64_t best = UINT64_MAX;
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    std::uint64_t current = now_tick_ >> (kBits * level);
    auto turned = std::rotr(occupied_[level], static_cast<int>((current + 1) & (kSlots - 1)));
    auto distance = static_cast<std::uint64_t>(std::countr_zero(turned)) + 1;
    best = std::min(best, (current + distance) << (kBits * level));
  }
  return best;
}

TimePoint TimerWheel::next() const {
  std::uint64_t tick = next_tick();
  if (tick == UINT64_MAX) return TimePoint::max();
  return start_ + kTick * static_cast<std::int64_t>(tick);
}

void TimerWheel::advance(TimePoint now) {
  if (now <= start_) return;
  auto target = static_cast<std::uint64_t>((now - start_) / kTick);
  while (now_tick_ < target) {
    std::uint64_t tick = next_tick();
    if (tick > target) {
      now_tick_ = target;
      break;
    }
    now_tick_ = tick;
    for (unsigned level = kLevels - 1; level > 0; --level) {
      std::uint64_t below = (std::uint64_t{1} << (kBits * level)) - 1;
      if ((now_tick_ & below) == 0) cascade(level);
    }
    auto slot = static_cast<unsigned>(now_tick_ & (kSlots - 1));
    occupied_[0] &= ~(std::uint64_t{1} << slot);
    while (Timer* timer = slots_[0][slot]) {
      unlink(*timer);
      if (timer->tick_ > now_tick_) {  // was beyond the wheel's reach
        insert(*timer);
      } else {
        link(due_, *timer);
      }
    }
    while (due_ != nullptr) {
      Timer& timer = *due_;
      timer.disarm();
      timer.handler_.on_timer(timer);
    }
  }
}

}  // namespace fairlead::net
