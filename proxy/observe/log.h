#pragma once
// The program's two logs, over spdlog's asynchronous loggers: what happens to Fairlead itself, and
// the access log.

#include <fmt/format.h>

#include <memory>
#include <string>

#include "conf/config.h"

namespace spdlog {
class logger;
}

namespace fairlead::observe {

enum class Level : std::uint8_t { debug, info, warn, error };

// Opens both logs. Returns "" or why a file cannot be written.
std::string open_logs(const conf::Log& settings);
// Another level from now on; any thread.
void set_log_level(conf::Log::Level level);
// Opens files anew, after something has rotated them away (USR1).
void reopen_logs();
// Writes out what is queued and closes; nothing may log after it.
void close_logs();

// Null when access = "off" or before open_logs.
std::shared_ptr<spdlog::logger> access_logger();

bool log_enabled(Level level);
void log_line(Level level, const std::string& text);

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(Level::debug))
    log_line(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(Level::info))
    log_line(Level::info, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(Level::warn))
    log_line(Level::warn, fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(Level::error))
    log_line(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace fairlead::observe
