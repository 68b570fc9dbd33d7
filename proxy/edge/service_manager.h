#pragma once
// What the process tells who manages it (sd_notify(3)), without libsystemd: datagrams to the socket
// that NOTIFY_SOCKET names.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/net/socket.h"

namespace fairlead::edge {

// "/run/systemd/notify", or "@name" for an abstract one. 0: that is no address.
socklen_t notify_address(std::string_view text, net::SocketAddress& out);

// Half of WATCHDOG_USEC, how often to send a sign of life; nothing where none is wanted, or it is
// wanted of another process (WATCHDOG_PID). Null: unset.
std::optional<std::chrono::microseconds> watchdog_interval(pid_t self, const char* usec,
                                                           const char* pid);

class ServiceManager {
 public:
  // Reads the environment and takes what it reads out of it: it is not meant for children. While
  // the process has one thread.
  static ServiceManager from_environment();

  ServiceManager() = default;

  // Serving, for the first time or again after reloading(). `status`: a line for people.
  void ready(std::string_view status);
  void reloading();
  // `within`: how long the end may take.
  void stopping(std::chrono::milliseconds within);
  // A sign of life.
  void alive();
  // Another process takes this one's place. It has to be told from here: only the main process is
  // believed, unless NotifyAccess=all.
  void handed_over(pid_t successor);

  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

  // "NAME=value" for a successor.
  std::vector<std::string> environment() const;

 private:
  void send(std::string_view text) const;

  std::string address_;  // "": nobody listens
  std::string watchdog_usec_;
  std::optional<std::chrono::microseconds> watchdog_;
};

// The datagrams' texts.
std::string ready_text(pid_t self, std::string_view status);
std::string reloading_text(std::chrono::microseconds monotonic);
std::string stopping_text(std::chrono::milliseconds within);
std::string handed_over_text(pid_t successor);

}  // namespace fairlead::edge
