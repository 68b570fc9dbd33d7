#include "proxy/observe/log_writer.h"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace fairlead::observe {
namespace {

using Clock = std::chrono::steady_clock;

// A target without room is looked at this often for whether the end has come.
constexpr std::chrono::milliseconds kStep{50};
// What close() waits beyond its limit for the thread to see that it is over.
constexpr std::chrono::milliseconds kGrace{2 * kStep};

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

struct LogWriter::State {
  State(LogTarget to, std::size_t limit) : most(limit), target(std::move(to)) {}

  void run();
  bool next(std::unique_lock<std::mutex>& lock);
  bool put_lines(std::string_view& rest);
  bool put(std::string_view& text);
  bool wait_for_room();
  ssize_t write_some(std::string_view text);
  void give_up(std::string_view rest);

  void lose(std::string_view text) { lost += lines_in(text); }

  bool is_over();

  const std::size_t most;
  std::atomic<std::uint64_t> lost{0};
  std::atomic<int> error{0};  // of the last write that failed
  LogTarget target;           // the thread's
  bool torn = false;          // the thread's: what was written last ends within a line
  std::mutex mutex;           // all that follows
  std::condition_variable work;
  std::condition_variable done;
  std::deque<std::string> queue;
  std::size_t bytes = 0;  // in it
  std::string current;    // is being written: the thread reads it without the lock
  std::optional<LogTarget> replacement;
  bool closing = false;
  Clock::time_point deadline;  // once it closes
  bool finished = false;       // the thread has nothing more to do
  bool left_behind = false;    // nobody waits for the thread any more
};

// Nothing more is to be written to the target: the end has come, or another one takes its place.
bool LogWriter::State::is_over() {
  const std::lock_guard lock(mutex);
  if (closing && Clock::now() >= deadline) return true;
  return replacement && !replacement->is_same_as(target);
}

// False: there is none, and nobody waits for it any more.
bool LogWriter::State::wait_for_room() {
  for (;;) {
    pollfd one{target.fd(), POLLOUT, 0};
    if (poll(&one, 1, static_cast<int>(kStep.count())) > 0) return true;
    if (is_over()) return false;
  }
}

// A pipe that poll() calls writable takes PIPE_BUF bytes without waiting (pipe(7)).
ssize_t LogWriter::State::write_some(std::string_view text) {
  const std::string_view part = target.may_wait() ? text.substr(0, PIPE_BUF) : text;
  if (target.is_socket())
    return send(target.fd(), part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return write(target.fd(), part.data(), part.size());
}

// Takes what was written off the front of `text`. False: something is left.
bool LogWriter::State::put(std::string_view& text) {
  while (!text.empty()) {
    if (target.may_wait() && !wait_for_room()) return false;
    const ssize_t n = write_some(text);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      if (!wait_for_room()) return false;
      continue;
    }
    if (n < 0) {
      error = errno;
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Writes `current`; `rest` is what is left of it. A line that could only be written in part is
// ended first, or the next one would be lost with it.
bool LogWriter::State::put_lines(std::string_view& rest) {
  rest = current;
  std::string_view end = torn ? "\n" : "";
  if (!put(end)) return false;
  const bool all = put(rest);
  const std::size_t put_out = current.size() - rest.size();
  torn = !all && put_out != 0 && current[put_out - 1] != '\n';
  return all;
}

// What is left of `current` goes to the target that takes the place of this one, from the beginning
// of a line on; or it is lost.
void LogWriter::State::give_up(std::string_view rest) {
  if (!replacement || replacement->is_same_as(target)) return lose(rest);
  const std::size_t put_out = current.size() - rest.size();
  current.erase(0, put_out == 0 ? 0 : current.rfind('\n', put_out - 1) + 1);
  bytes += current.size();
  queue.push_front(std::move(current));
}

// Takes the next lines, or the next target. False: there will be no more.
bool LogWriter::State::next(std::unique_lock<std::mutex>& lock) {
  work.wait(lock, [this] { return !queue.empty() || closing || replacement; });
  if (replacement) {
    torn = torn && replacement->is_same_as(target);
    LogTarget old = std::exchange(target, std::move(*replacement));
    replacement.reset();
    lock.unlock();
    { const LogTarget closed = std::move(old); }
    lock.lock();
    return true;
  }
  if (queue.empty() || (closing && Clock::now() >= deadline)) return false;
  current = std::move(queue.front());
  queue.pop_front();
  bytes -= current.size();
  return true;
}

void LogWriter::State::run() {
  std::unique_lock lock(mutex);
  while (next(lock)) {
    lock.unlock();
    std::string_view rest;
    const bool written = put_lines(rest);
    lock.lock();
    if (left_behind) return;  // it was counted as lost already
    if (!written) give_up(rest);
    current.clear();
  }
  for (const std::string& lines : queue) lose(lines);
  queue.clear();
  finished = true;
  done.notify_all();
}

LogWriter::LogWriter(LogTarget target, std::size_t most)
    : state_(std::make_shared<State>(std::move(target), most)),
      thread_([state = state_] { state->run(); }) {}

LogWriter::~LogWriter() {
  close(std::chrono::milliseconds(0));
}

void LogWriter::push(std::string lines) {
  const std::lock_guard lock(state_->mutex);
  if (state_->closing) return state_->lose(lines);
  while (!state_->queue.empty() && state_->bytes + lines.size() > state_->most) {
    state_->lose(state_->queue.front());
    state_->bytes -= state_->queue.front().size();
    state_->queue.pop_front();
  }
  state_->bytes += lines.size();
  state_->queue.push_back(std::move(lines));
  if (state_->queue.size() == 1) state_->work.notify_one();
}

void LogWriter::replace(LogTarget target) {
  const std::lock_guard lock(state_->mutex);
  state_->replacement = std::move(target);
  state_->work.notify_one();
}

void LogWriter::close(std::chrono::milliseconds limit) {
  if (!thread_.joinable()) return;
  std::unique_lock lock(state_->mutex);
  state_->closing = true;
  state_->deadline = Clock::now() + limit;
  state_->work.notify_one();
  if (state_->done.wait_until(lock, state_->deadline + kGrace,
                              [this] { return state_->finished; })) {
    lock.unlock();
    return thread_.join();
  }
  state_->left_behind = true;
  state_->lose(state_->current);
  for (const std::string& lines : state_->queue) state_->lose(lines);
  state_->queue.clear();
  lock.unlock();
  thread_.detach();
}

std::uint64_t LogWriter::lost() const {
  return state_->lost;
}

std::string LogWriter::why_lost() const {
  const int error = state_->error;
  if (error == 0) return "nobody reads them as fast as they come";
  return std::error_code(error, std::generic_category()).message();
}

}  // namespace fairlead::observe
