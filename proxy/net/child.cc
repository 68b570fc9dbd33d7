#include "proxy/net/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "proxy/net/inherited.h"
#include "proxy/net/socket.h"

namespace fairlead::net {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Moved above all targets first: a source may have the number another one is to get.
std::vector<Fd> above(const std::vector<int>& descriptors) {
  std::vector<Fd> copies;
  const int least = kFirstInherited + static_cast<int>(descriptors.size());
  for (const int fd : descriptors) copies.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, least));
  return copies;
}

// What is ours to ignore or block is not the child's.
void reset_signals(posix_spawnattr_t& attributes) {
  sigset_t set;
  sigemptyset(&set);
  posix_spawnattr_setsigmask(&attributes, &set);
  sigaddset(&set, SIGPIPE);
  sigaddset(&set, SIGXFSZ);
  posix_spawnattr_setsigdefault(&attributes, &set);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

}  // namespace

Child start_child(const Program& program, const std::vector<int>& descriptors) {
  const std::vector<Fd> copies = above(descriptors);
  const auto bad = std::find_if(copies.begin(), copies.end(), [](const Fd& fd) { return !fd; });
  if (bad != copies.end()) return {-1, "cannot pass descriptors on: " + error_text(errno)};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  int number = kFirstInherited;
  for (const Fd& copy : copies) posix_spawn_file_actions_adddup2(&actions, copy.get(), number++);
  posix_spawn_file_actions_addclosefrom_np(&actions, number);
  reset_signals(attributes);
  std::vector<std::string> arguments = program.arguments;
  std::vector<std::string> environment = program.environment;
  Child child;
  const int error = posix_spawn(&child.pid, program.path.c_str(), &actions, &attributes,
                                pointers(arguments).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) child = {-1, "cannot start " + program.path + ": " + error_text(error)};
  return child;
}

std::string reap_child(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return "is not there any more";
  }
  if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status));
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

std::string own_program(const std::string& name, const char* search) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (name.find('/') != std::string::npos) return fs::absolute(name, ignored).string();
  std::string_view rest(search == nullptr ? "" : search);
  while (!name.empty() && !rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const fs::path folder(end == 0 ? std::string_view(".") : rest.substr(0, end));
    const std::string path = fs::absolute(folder / name, ignored).string();
    if (access(path.c_str(), X_OK) == 0) return path;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return fs::read_symlink("/proc/self/exe", ignored).string();
}

}  // namespace fairlead::net
