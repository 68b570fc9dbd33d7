#pragma once
// The program's two logs: what happens to Fairlead itself, and the access log. spdlog makes the
// lines; each log has a thread that writes them (LogWriter), so that nobody else ever waits for a
// disk or for who reads a pipe, and neither log for the other's.

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "conf/config.h"
#include "proxy/observe/log_target.h"
#include "proxy/observe/lost_lines.h"

namespace spdlog {
class logger;
}

namespace fairlead::observe {

enum class Level : std::uint8_t { debug, info, warn, error };

// Opens both logs. `owner`: who files made for them are to belong to. Returns "" or why one cannot
// be written; then none is open.
std::string open_logs(const conf::Log& settings,
                      const std::optional<LogOwner>& owner = std::nullopt);
// Another level from now on; any thread.
void set_log_level(conf::Log::Level level);
// Opens files anew, after something has rotated them away (USR1). One that cannot be opened is
// logged as an error, and what is open stays.
void reopen_logs();
// Writes out what is queued, within `limit` and a little, and closes; nothing may log after it.
// What nobody takes until then is lost, and said where that is still possible.
void close_logs(std::chrono::milliseconds limit = std::chrono::seconds(1));

LostLines lost_log_lines();
// Logs a warning for what was lost since the last call. Main thread.
void tell_lost_log_lines();

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
