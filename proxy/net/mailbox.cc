#include "proxy/net/mailbox.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace fairlead::net {

Mailbox::Mailbox(Loop& loop) : eventfd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!eventfd_) throw std::system_error(errno, std::generic_category(), "eventfd");
  event_ = event_new(
      loop.base(), eventfd_.get(), EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* self) { static_cast<Mailbox*>(self)->deliver(); }, this);
  event_add(event_, nullptr);
}

Mailbox::~Mailbox() {
  event_free(event_);
}

void Mailbox::post(std::function<void()> work) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = queue_.empty();
    queue_.push_back(std::move(work));
  }
  if (!first) return;  // whoever was first has rung the bell
  std::uint64_t one = 1;
  while (write(eventfd_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void Mailbox::deliver() {
  std::uint64_t count = 0;
  while (read(eventfd_.get(), &count, sizeof count) < 0 && errno == EINTR) {
  }
  std::vector<std::function<void()>> work;
  {
    std::lock_guard lock(mutex_);
    work.swap(queue_);
  }
  for (auto& item : work) item();
}

Signals::Signals(Loop& loop, const std::vector<int>& numbers, std::function<void(int)> handler)
    : handler_(std::move(handler)) {
  for (int number : numbers) {
    event* added = evsignal_new(
        loop.base(), number,
        [](evutil_socket_t signal, short, void* self) {
          static_cast<Signals*>(self)->handler_(static_cast<int>(signal));
        },
        this);
    event_add(added, nullptr);
    events_.push_back(added);
  }
}

Signals::~Signals() {
  for (event* added : events_) {
    int number = event_get_signal(added);
    event_free(added);
    std::signal(number,
                SIG_IGN);  // one that comes while the process ends must not change its exit code
  }
}

}  // namespace fairlead::net
