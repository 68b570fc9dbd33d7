#include "conf/files.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace fairlead::conf {
namespace {

std::string error_text(int error) {
  return std::generic_category().message(error);
}

class Descriptor {
 public:
  explicit Descriptor(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)) {}

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }

 private:
  int fd_;
};

// Why an opened path is no file to read; "" if it is one (a pipe is: `-c /dev/stdin`).
std::string no_file(int fd, struct stat& status) {
  if (fd < 0 || fstat(fd, &status) != 0) return error_text(errno);
  return S_ISDIR(status.st_mode) ? error_text(EISDIR) : "";
}

}  // namespace

Files::Content DiskFiles::read(const std::string& path, std::size_t limit) const {
  const Descriptor file(path);

  struct stat status {};

  Content content;
  content.error = no_file(file.get(), status);
  if (!content.error.empty()) return content;
  content.world_readable = (status.st_mode & S_IROTH) != 0;
  std::string bytes;
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) content.error = error_text(errno);
    if (count <= 0) break;
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    if (bytes.size() > limit) content.error = "larger than " + std::to_string(limit) + " bytes";
    if (!content.error.empty()) break;
  }
  if (content.error.empty()) content.bytes = std::move(bytes);
  return content;
}

std::string DiskFiles::unreadable(const std::string& path) const {
  const Descriptor file(path);

  struct stat status {};

  return no_file(file.get(), status);
}

std::vector<std::string> DiskFiles::match(const std::string& pattern) const {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return paths;
}

}  // namespace fairlead::conf
