#include "proxy/observe/log.h"

#include <poll.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "proxy/observe/json.h"
#include "proxy/observe/log_writer.h"
#include "proxy/wire/visible_text.h"

namespace fairlead::observe {
namespace {

// Formats in the caller's thread; the writer's takes it from there.
class WriterSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit WriterSink(std::shared_ptr<LogWriter> writer) : writer_(std::move(writer)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer_->push(std::string(line.data(), line.size()));
  }

  void flush_() override {}

 private:
  std::shared_ptr<LogWriter> writer_;
};

// The message as a JSON string, for format = "json".
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    std::string text;
    append_json_string({message.payload.data(), message.payload.size()}, text);
    out.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

// The message as people read it, for format = "text": see wire/visible_text.h. Problems of a
// configuration have several lines.
class TextMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string text =
        wire::visible_text({message.payload.data(), message.payload.size()}, "\n");
    out.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<TextMessage>();
  }
};

// What waits for a log's reader: 8 MiB.
constexpr std::size_t kQueueBytes = conf::bounds::kAccessLogQueue * 4096;

// One of the two, with where it goes.
struct Log {
  std::string name;
  std::string path;  // "" for a standard stream
  std::shared_ptr<LogWriter> writer;
  std::shared_ptr<spdlog::logger> logger;
  std::uint64_t told = 0;  // of its lost lines
};

struct Logs {
  Log main;
  Log access;
};

Logs& logs() {
  static Logs instance;
  return instance;
}

// Empty with `error` set when it cannot be opened.
Log open_log(const char* name, const std::string& where, const std::optional<LogOwner>& owner,
             std::string& error) {
  Log log{name, "", nullptr, nullptr};
  LogTarget target;
  if (where == "stderr") {
    target = LogTarget::standard(STDERR_FILENO);
  } else if (where == "stdout") {
    target = LogTarget::standard(STDOUT_FILENO);
  } else {
    log.path = where;
    target = LogTarget::file(where, owner, error);
    if (!target.is_open()) return {};
  }
  log.writer = std::make_shared<LogWriter>(std::move(target), kQueueBytes);
  log.logger = std::make_shared<spdlog::logger>(name, std::make_shared<WriterSink>(log.writer));
  // By itself it would write to stderr, and wait for whoever reads that.
  log.logger->set_error_handler([](const std::string&) {});
  return log;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      break;
  }
  return spdlog::level::err;
}

spdlog::level::level_enum to_spdlog(conf::Log::Level level) {
  switch (level) {
    case conf::Log::Level::trace:
      return spdlog::level::trace;
    case conf::Log::Level::debug:
      return spdlog::level::debug;
    case conf::Log::Level::info:
      return spdlog::level::info;
    case conf::Log::Level::warn:
      return spdlog::level::warn;
    case conf::Log::Level::error:
      break;
  }
  return spdlog::level::err;
}

std::unique_ptr<spdlog::formatter> main_format(conf::Log::Format format) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  if (format == conf::Log::Format::json) {
    formatter->add_flag<JsonMessage>('*');
    formatter->set_pattern(R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","msg":%*})");
  } else {
    formatter->add_flag<TextMessage>('*');
    formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l: %*");
  }
  return formatter;
}

// The last place where it can be said, unless somebody would have to be waited for.
void tell_stderr(std::uint64_t lost) {
  const std::string text =
      fmt::format("fairlead: the last {} lines of the main log were lost\n", lost);
  pollfd one{STDERR_FILENO, POLLOUT, 0};
  if (poll(&one, 1, 0) <= 0) return;
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

}  // namespace

std::string open_logs(const conf::Log& settings, const std::optional<LogOwner>& owner) {
  std::string error;
  Logs opened;
  opened.main = open_log("main", settings.file, owner, error);
  if (!opened.main.logger) return error;
  opened.main.logger->set_level(to_spdlog(settings.level));
  opened.main.logger->set_formatter(main_format(settings.format));
  if (settings.access != "off") {
    opened.access = open_log("access", settings.access, owner, error);
    if (!opened.access.logger) return error;
    opened.access.logger->set_pattern("%v", spdlog::pattern_time_type::utc);
  }
  logs() = std::move(opened);
  return "";
}

void set_log_level(conf::Log::Level level) {
  if (logs().main.logger) logs().main.logger->set_level(to_spdlog(level));
}

void reopen_logs() {
  for (Log* log : {&logs().main, &logs().access}) {
    if (!log->writer || log->path.empty()) continue;
    std::string error;
    LogTarget target = LogTarget::file(log->path, std::nullopt, error);
    if (target.is_open()) {
      log->writer->replace(std::move(target));
    } else {
      log_error("{}: its lines go on into the file that was open", error);
    }
  }
}

LostLines lost_log_lines() {
  const auto lost = [](const Log& log) { return log.writer ? log.writer->lost() : 0; };
  return {lost(logs().main), lost(logs().access)};
}

void tell_lost_log_lines() {
  for (Log* log : {&logs().main, &logs().access}) {
    const std::uint64_t lost = log->writer ? log->writer->lost() : 0;
    if (lost == log->told) continue;
    log_warn("{} lines of the {} log were lost: {}", lost - std::exchange(log->told, lost),
             log->name, log->writer->why_lost());
  }
}

void close_logs(std::chrono::milliseconds limit) {
  const auto begun = std::chrono::steady_clock::now();
  if (logs().access.writer) logs().access.writer->close(limit / 2);
  tell_lost_log_lines();
  Log& main = logs().main;
  if (main.writer) {
    const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begun);
    main.writer->close(limit - std::min(limit, spent));
    if (const std::uint64_t lost = main.writer->lost() - main.told; lost != 0) tell_stderr(lost);
  }
  logs() = Logs{};
}

std::shared_ptr<spdlog::logger> access_logger() {
  return logs().access.logger;
}

bool log_enabled(Level level) {
  return logs().main.logger && logs().main.logger->should_log(to_spdlog(level));
}

void log_line(Level level, const std::string& text) {
  logs().main.logger->log(to_spdlog(level), spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace fairlead::observe
