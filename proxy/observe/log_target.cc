#include "proxy/observe/log_target.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace fairlead::observe {
namespace {

// O_NONBLOCK means nothing to a file; a FIFO must not hold up whoever opens it.
constexpr int kAppend = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr mode_t kMode = 0644;

// A file that is made here for somebody else must be new: in a folder that others may write to, a
// link could lead root to a file that is not to be given away.
int open_for(const std::string& path, const LogOwner& owner) {
  int fd = open(path.c_str(), kAppend | O_CREAT | O_EXCL, kMode);
  if (fd < 0) return errno == EEXIST ? open(path.c_str(), kAppend) : -1;
  if (fchown(fd, owner.user, owner.group) == 0) return fd;
  const int problem = errno;
  close(fd);
  unlink(path.c_str());
  errno = problem;
  return -1;
}

// A pipe that others have too is not to be made non-blocking for them: a descriptor of our own is.
int reopen_pipe(int fd) {
  return open(("/proc/self/fd/" + std::to_string(fd)).c_str(), kAppend);
}

}  // namespace

LogTarget::LogTarget(int fd, bool owned) : fd_(fd), owned_(owned) {
  struct stat what {};

  const bool known = fstat(fd, &what) == 0;
  is_socket_ = known && S_ISSOCK(what.st_mode);
  may_wait_ = !owned && (!known || S_ISFIFO(what.st_mode) || isatty(fd) != 0);
}

LogTarget::LogTarget(LogTarget&& other) noexcept {
  swap(other);
}

LogTarget& LogTarget::operator=(LogTarget&& other) noexcept {
  swap(other);
  return *this;
}

LogTarget::~LogTarget() {
  if (owned_) close(fd_);
}

void LogTarget::swap(LogTarget& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(owned_, other.owned_);
  std::swap(may_wait_, other.may_wait_);
  std::swap(is_socket_, other.is_socket_);
}

bool LogTarget::is_same_as(const LogTarget& other) const {
  struct stat ours {};

  struct stat theirs {};

  return fstat(fd_, &ours) == 0 && fstat(other.fd_, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
         ours.st_ino == theirs.st_ino;
}

LogTarget LogTarget::standard(int fd) {
  struct stat what {};

  if (fstat(fd, &what) == 0 && S_ISFIFO(what.st_mode)) {
    if (const int own = reopen_pipe(fd); own >= 0) return {own, true};
  }
  return {fd, false};
}

LogTarget LogTarget::file(const std::string& path, const std::optional<LogOwner>& owner,
                          std::string& error) {
  const int fd = owner ? open_for(path, *owner) : open(path.c_str(), kAppend | O_CREAT, kMode);
  if (fd >= 0) return {fd, true};
  error = "cannot open the log file " + path + ": " +
          std::error_code(errno, std::generic_category()).message();
  return {};
}

}  // namespace fairlead::observe
