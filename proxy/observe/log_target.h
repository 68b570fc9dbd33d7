#pragma once
// What a log is written to: a file, or one of the process's standard streams.

#include <sys/types.h>

#include <optional>
#include <string>

namespace fairlead::observe {

// Who a log file is to belong to that a start as root makes.
struct LogOwner {
  uid_t user = 0;
  gid_t group = 0;
};

// An open descriptor, closed at the end unless it is a standard stream's. Movable.
class LogTarget {
 public:
  LogTarget() = default;
  LogTarget(LogTarget&& other) noexcept;
  LogTarget& operator=(LogTarget&& other) noexcept;
  ~LogTarget();

  // STDOUT_FILENO or STDERR_FILENO, which must be open.
  static LogTarget standard(int fd);
  // Opens the file for appending and makes it where there is none; its folder has to be there.
  // Never waits: a FIFO without a reader is an error. `owner`: given a file that is made. Without
  // is_open() `error` says why.
  static LogTarget file(const std::string& path, const std::optional<LogOwner>& owner,
                        std::string& error);

  bool is_open() const { return fd_ >= 0; }

  int fd() const { return fd_; }

  // False: a write takes at once what there is room for. True (a terminal): it may wait, so it is
  // to be asked by poll(2) first, and then given no more than PIPE_BUF bytes.
  bool may_wait() const { return may_wait_; }

  bool is_socket() const { return is_socket_; }

  // Whether both are open and lead to the same file, pipe or socket.
  bool is_same_as(const LogTarget& other) const;

 private:
  LogTarget(int fd, bool owned);
  void swap(LogTarget& other) noexcept;

  int fd_ = -1;
  bool owned_ = false;
  bool may_wait_ = false;
  bool is_socket_ = false;
};

}  // namespace fairlead::observe
