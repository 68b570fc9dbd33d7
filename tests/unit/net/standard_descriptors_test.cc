#include "proxy/net/standard_descriptors.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "tests/support/catch.h"

namespace fairlead::net {
namespace {

bool is_null_device(int fd) {
  struct stat there {};

  struct stat null {};

  return fstat(fd, &there) == 0 && stat("/dev/null", &null) == 0 && there.st_rdev == null.st_rdev;
}

// In a process of its own: bit i of the result is set where descriptor i is /dev/null.
int null_ones_after(const std::array<bool, 3>& closed) {
  const pid_t child = fork();
  if (child == 0) {
    for (int fd = 0; fd < 3; ++fd) {
      if (closed.at(static_cast<std::size_t>(fd))) ::close(fd);
    }
    if (!fill_standard_descriptors()) _exit(64);
    int found = 0;
    for (int fd = 0; fd < 3; ++fd) found |= is_null_device(fd) ? 1 << fd : 0;
    // The next thing that is opened has its number above them.
    _exit(dup(0) > 2 ? found : 65);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("standard descriptors: those that are closed are /dev/null afterwards",
          "[net][standard_descriptors]") {
  const int open_ones = null_ones_after({});
  for (int mask = 0; mask < 8; ++mask) {
    CAPTURE(mask);
    CHECK(null_ones_after({(mask & 1) != 0, (mask & 2) != 0, (mask & 4) != 0}) ==
          (mask | open_ones));
  }
}

}  // namespace fairlead::net
