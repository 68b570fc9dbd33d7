#include "proxy/edge/service_manager.h"

#include <fmt/format.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

// A manager that does not read must not hold up the main thread.
constexpr timeval kSendTime{1, 0};
// What the end may take beyond its deadline.
constexpr std::chrono::seconds kStopMargin{10};

std::optional<std::uint64_t> to_number(const char* text) {
  if (text == nullptr) return std::nullopt;
  std::uint64_t value = 0;
  const char* last = text + std::strlen(text);
  const auto [end, error] = std::from_chars(text, last, value);
  return error == std::errc() && end == last ? std::optional(value) : std::nullopt;
}

std::string one_line(std::string_view text) {
  std::string out(text);
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string copy(value == nullptr ? "" : value);
  unsetenv(name);
  return copy;
}

}  // namespace

socklen_t notify_address(std::string_view text, net::SocketAddress& out) {
  std::memset(&out, 0, sizeof out);
  const bool known = text.size() > 1 && (text.front() == '/' || text.front() == '@');
  if (!known || text.size() >= sizeof out.un.sun_path) return 0;
  out.un.sun_family = AF_UNIX;
  std::copy(text.begin(), text.end(), out.un.sun_path);
  const bool abstract = text.front() == '@';
  if (abstract) out.un.sun_path[0] = '\0';
  // An abstract name has no end mark: it would be a part of it.
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() + (abstract ? 0 : 1));
}

std::optional<std::chrono::microseconds> watchdog_interval(pid_t self, const char* usec,
                                                           const char* pid) {
  const auto interval = to_number(usec);
  if (!interval || *interval < 2 || *interval > INT64_MAX) return std::nullopt;
  if (pid != nullptr && to_number(pid) != static_cast<std::uint64_t>(self)) return std::nullopt;
  return std::chrono::microseconds(*interval / 2);
}

std::string ready_text(pid_t self, std::string_view status) {
  return fmt::format("READY=1\nMAINPID={}\nSTATUS={}\n", self, one_line(status));
}

std::string reloading_text(std::chrono::microseconds monotonic) {
  return fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reloading\n", monotonic.count());
}

std::string stopping_text(std::chrono::milliseconds within) {
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(within + kStopMargin);
  return fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\nSTATUS=draining\n", time.count());
}

std::string handed_over_text(pid_t successor) {
  return fmt::format("MAINPID={}\nREADY=1\nWATCHDOG=1\nSTATUS=upgraded to process {}\n", successor,
                     successor);
}

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  manager.address_ = take_variable("NOTIFY_SOCKET");
  manager.watchdog_ =
      watchdog_interval(getpid(), std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID"));
  manager.watchdog_usec_ = take_variable("WATCHDOG_USEC");
  take_variable("WATCHDOG_PID");
  if (!manager.watchdog_) manager.watchdog_usec_.clear();
  if (manager.address_.empty()) manager.watchdog_.reset();
  return manager;
}

void ServiceManager::ready(std::string_view status) {
  send(ready_text(getpid(), status));
}

// systemd compares it with CLOCK_MONOTONIC, which is what steady_clock reads.
void ServiceManager::reloading() {
  send(reloading_text(std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch())));
}

void ServiceManager::stopping(std::chrono::milliseconds within) {
  send(stopping_text(within));
}

void ServiceManager::alive() {
  send("WATCHDOG=1\n");
}

void ServiceManager::handed_over(pid_t successor) {
  send(handed_over_text(successor));
  address_.clear();
  watchdog_.reset();
}

std::vector<std::string> ServiceManager::environment() const {
  std::vector<std::string> variables;
  if (!address_.empty()) variables.push_back("NOTIFY_SOCKET=" + address_);
  if (watchdog_) variables.push_back("WATCHDOG_USEC=" + watchdog_usec_);
  return variables;
}

void ServiceManager::send(std::string_view text) const {
  if (address_.empty()) return;
  net::SocketAddress raw{};
  const socklen_t size = notify_address(address_, raw);
  const net::Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (size == 0 || !fd) {
    observe::log_warn("NOTIFY_SOCKET \"{}\" cannot be used", address_);
    return;
  }
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kSendTime, sizeof kSendTime);
  if (sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL, &raw.any, size) < 0) {
    observe::log_warn("the service manager at {} was not reached: {}", address_,
                      net::error_text(errno));
  }
}

}  // namespace fairlead::edge
