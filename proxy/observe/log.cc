#include "proxy/observe/log.h"

#include <spdlog/async.h>
#include <spdlog/details/file_helper.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <vector>

#include "proxy/observe/json.h"

namespace fairlead::observe {
namespace {

// A file that can be opened anew under the same name.
class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(const std::string& path) { file_.open(path); }

  void reopen() {
    std::lock_guard lock(mutex_);
    file_.reopen(false);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_.write(line);
  }

  void flush_() override { file_.flush(); }

 private:
  spdlog::details::file_helper file_;
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

struct Logs {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> main;
  std::shared_ptr<spdlog::logger> access;
  std::vector<std::shared_ptr<FileSink>> files;
};

Logs& logs() {
  static Logs instance;
  return instance;
}

spdlog::sink_ptr make_sink(const std::string& where) {
  if (where == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  if (where == "stdout") return std::make_shared<spdlog::sinks::stdout_sink_mt>();
  auto sink = std::make_shared<FileSink>(where);
  logs().files.push_back(sink);
  return sink;
}

std::shared_ptr<spdlog::logger> make_logger(const char* name, const std::string& where) {
  auto logger = std::make_shared<spdlog::async_logger>(
      name, make_sink(where), logs().pool, spdlog::async_overflow_policy::overrun_oldest);
  logger->flush_on(spdlog::level::trace);  // by the logger's thread, as soon as a batch is written
  return logger;
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
  formatter->add_flag<JsonMessage>('*');
  formatter->set_pattern(format == conf::Log::Format::json
                             ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","msg":%*})"
                             : "%Y-%m-%dT%H:%M:%S.%eZ %l: %v");
  return formatter;
}

}  // namespace

std::string open_logs(const conf::Log& settings) {
  try {
    Logs& all = logs();
    all.pool = std::make_shared<spdlog::details::thread_pool>(conf::bounds::kAccessLogQueue, 1);
    all.main = make_logger("fairlead", settings.file);
    all.main->set_level(to_spdlog(settings.level));
    all.main->set_formatter(main_format(settings.format));
    if (settings.access != "off") {
      all.access = make_logger("access", settings.access);
      all.access->set_pattern("%v", spdlog::pattern_time_type::utc);
    }
    return "";
  } catch (const std::exception& problem) {
    return problem.what();
  }
}

void set_log_level(conf::Log::Level level) {
  if (logs().main) logs().main->set_level(to_spdlog(level));
}

void reopen_logs() {
  for (auto& file : logs().files) {
    try {
      file->reopen();
    } catch (const std::exception& problem) {
      log_error("cannot reopen a log file: {}", problem.what());
    }
  }
}

void close_logs() {
  logs() = Logs{};
}

std::shared_ptr<spdlog::logger> access_logger() {
  return logs().access;
}

bool log_enabled(Level level) {
  return logs().main && logs().main->should_log(to_spdlog(level));
}

void log_line(Level level, const std::string& text) {
  logs().main->log(to_spdlog(level), spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace fairlead::observe
