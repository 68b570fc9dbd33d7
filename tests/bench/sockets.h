#pragma once
// Sockets and epoll as the bench's own programs use them: loopback only, and a failure ends the
// program.

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fairlead::bench {

using Clock = std::chrono::steady_clock;

// Exits the program with a message: a bench has no other way to go on.
[[noreturn]] void die(const std::string& why);

// Takes as many open files as the hard limit allows.
void raise_open_files();
// Ends the program when the one that started it has ended.
void end_with_parent();
// Ends the program with a message after so many seconds.
void set_deadline(double seconds);

struct Target {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
};

Target parse_target(std::string_view text);  // "127.0.0.1:8080"

int listen_at(std::uint16_t port);
// The next connection, non-blocking and without Nagle; -1 when there is none.
int accept_from(int listening);

struct From {
  std::uint32_t address = 0;  // in host order; 0: the kernel's choice
  int receive_buffer = 0;     // SO_RCVBUF; 0: the kernel's choice
};

// Begins to connect; non-blocking, without Nagle.
int connect_to(const Target& target, From from = {});

class Poll {
 public:
  Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;
  ~Poll();

  void add(int fd, std::uint32_t events, epoll_data_t data) {
    control(EPOLL_CTL_ADD, fd, events, data);
  }

  void change(int fd, std::uint32_t events, epoll_data_t data) {
    control(EPOLL_CTL_MOD, fd, events, data);
  }

  // What happened, at the latest after `timeout`.
  std::span<epoll_event> wait(std::chrono::nanoseconds timeout);
  std::span<epoll_event> wait();

 private:
  void control(int what, int fd, std::uint32_t events, epoll_data_t data);

  int fd_;
  epoll_event events_[512];
};

inline epoll_data_t tag(std::uint64_t number) {
  epoll_data_t data;
  data.u64 = number;
  return data;
}

inline epoll_data_t tag(void* pointer) {
  epoll_data_t data;
  data.ptr = pointer;
  return data;
}

}  // namespace fairlead::bench
