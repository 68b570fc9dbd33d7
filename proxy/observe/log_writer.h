#pragma once
// A log's lines on their way to their target: a bounded queue, and a thread of its own that writes.
// Whoever logs never waits for the target; nor does the process's end for longer than it says.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "proxy/observe/log_target.h"

namespace fairlead::observe {

class LogWriter {
 public:
  // `most`: bytes that may wait.
  explicit LogWriter(LogTarget target, std::size_t most);
  // Gives up what is not written yet.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Any thread: whole lines, each with its newline. Where they would be too much the oldest that
  // wait are lost.
  void push(std::string lines);

  // What comes from now on goes there, and what still waits. The old target is closed once nothing
  // is being written to it; a reader of it that hangs is not waited for.
  void replace(LogTarget target);

  // Returns once all is written, at the latest after `limit` and a little: what is left then is
  // lost. Nothing is written after it. The thread is left behind where the kernel does not let it
  // go.
  void close(std::chrono::milliseconds limit);

  // Lines that were never written.
  std::uint64_t lost() const;
  // Why, in words.
  std::string why_lost() const;

 private:
  struct State;

  std::shared_ptr<State> state_;  // the thread's, too
  std::thread thread_;
};

}  // namespace fairlead::observe
