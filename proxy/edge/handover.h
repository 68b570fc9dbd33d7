#pragma once
// Handing over to a new process, from the old one's side: starts it with the listening sockets, and
// waits, within a bound, until it serves. What fails leaves the old one as it was. Main thread.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/edge/late_changes.h"
#include "proxy/net/child.h"
#include "proxy/net/stream.h"

namespace fairlead::edge {

class Handover final : net::Stream::Handler, net::Timer::Handler {
 public:
  static constexpr conf::Millis kMost{30'000};            // from the start until it serves
  static constexpr std::size_t kAnswerBytes = 64 * 1024;  // what it may say about a failure

  // Called once, from the loop: "" when the new process serves, else why it does not; then it is
  // gone. The handover must not be destroyed within.
  using Done = std::function<void(const std::string& error)>;

  explicit Handover(net::Loop& loop);
  // A process that is still awaited is killed.
  ~Handover();

  // `program` with its environment; `state`: Heirloom::text. "" or why it could not be started.
  std::string start(net::Program program, std::vector<int> sockets, const std::string& state,
                    Done done);

  // It has not come to its end.
  bool running() const { return done_ != nullptr; }

  pid_t pid() const { return pid_; }

  // The new process serves: it is the one that counts from now on. It gets what was changed here
  // since it was started.
  void release(const LateChanges& changes);

 private:
  void on_readable(net::Stream& stream) override;

  void on_drained(net::Stream&) override {}

  void on_timer(net::Timer& timer) override;
  void finish(const std::string& error);

  net::Loop& loop_;
  net::Timer timer_;
  pid_t pid_ = -1;
  Done done_;
  std::unique_ptr<net::Stream> channel_;
  std::string answer_;
  std::string why_;  // it failed, and is about to end
  bool killed_ = false;
  net::TimePoint until_{};
};

// What the new process has answered so far: "ready PID" and a newline, or "failed", a newline and
// why, to its end.
struct HandoverAnswer {
  enum class Kind : std::uint8_t { more, ready, failed };

  Kind kind = Kind::more;
  pid_t pid = -1;   // with ready
  std::string why;  // with failed
};

HandoverAnswer parse_handover_answer(std::string_view text, bool ended);

}  // namespace fairlead::edge
