#include "proxy/edge/handover.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <utility>

#include "proxy/edge/predecessor.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

// A process that has given up is waited for in such steps, so that the main thread goes on.
constexpr conf::Millis kStep{20};
// What the kernel may take to end one that was killed.
constexpr conf::Millis kDeath{2000};

constexpr std::string_view kReady = "ready ";
constexpr std::string_view kFailed = "failed\n";

// Memory with `text` in it: it has no name and no file that another process could open.
net::Fd memory_with(const std::string& text) {
  net::Fd fd(memfd_create("fairlead-handover", MFD_CLOEXEC));
  std::size_t written = 0;
  while (fd && written < text.size()) {
    const ssize_t n = write(fd.get(), text.data() + written, text.size() - written);
    if (n < 0 && errno != EINTR) fd.reset();
    if (n > 0) written += static_cast<std::size_t>(n);
  }
  return fd;
}

}  // namespace

HandoverAnswer parse_handover_answer(std::string_view text, bool ended) {
  HandoverAnswer answer;
  const std::size_t end = text.find('\n');
  if (text.substr(0, kReady.size()) == kReady && end != std::string_view::npos) {
    const auto parsed = std::from_chars(text.data() + kReady.size(), text.data() + end, answer.pid);
    if (parsed.ec == std::errc() && parsed.ptr == text.data() + end) {
      answer.kind = HandoverAnswer::Kind::ready;
      return answer;
    }
  }
  if (!ended) return answer;
  answer.kind = HandoverAnswer::Kind::failed;
  if (text.substr(0, kFailed.size()) == kFailed) answer.why = text.substr(kFailed.size());
  while (!answer.why.empty() && answer.why.back() == '\n') answer.why.pop_back();
  return answer;
}

Handover::Handover(net::Loop& loop) : loop_(loop), timer_(loop.timers(), *this) {}

Handover::~Handover() {
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, WNOHANG);  // else it is reaped by whoever reaps this process
}

std::string Handover::start(net::Program program, std::vector<int> sockets,
                            const std::string& state, Done done) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return "cannot hand over: " + net::error_text(errno);
  }
  net::Fd ours(ends[0]);
  const net::Fd theirs(ends[1]);
  const net::Fd memory = memory_with(state);
  if (!memory) return "cannot hand over: " + net::error_text(errno);
  fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  const int first = net::kFirstInherited + static_cast<int>(sockets.size());
  program.environment.push_back(fmt::format("LISTEN_FDS={}", sockets.size()));
  program.environment.push_back(fmt::format("{}={}:{}", kHandoverVariable, first, first + 1));
  sockets.push_back(theirs.get());
  sockets.push_back(memory.get());
  const net::Child child = net::start_child(program, sockets);
  if (child.pid < 0) return child.error;
  pid_ = child.pid;
  done_ = std::move(done);
  until_ = loop_.now() + kMost;
  timer_.arm(until_);
  channel_ = std::make_unique<net::Stream>(loop_, ours.release());
  channel_->set_handler(*this);
  channel_->want_read(true);
  return "";
}

void Handover::on_readable(net::Stream& stream) {
  std::array<char, 4096> part{};
  const net::ReadResult got = stream.read(part);
  answer_.append(part.data(), std::min(got.n, kAnswerBytes - answer_.size()));
  const bool ended = got.status != net::IoStatus::ok || answer_.size() == kAnswerBytes;
  const HandoverAnswer answer = parse_handover_answer(answer_, ended);
  if (answer.kind == HandoverAnswer::Kind::more) return;
  if (answer.kind == HandoverAnswer::Kind::ready) {
    // A wrapper may have started it.
    pid_ = answer.pid;
    channel_->want_read(false);
    return finish("");
  }
  channel_->close();
  why_ = answer.why.empty() ? "it did not come to serve" : answer.why;
  timer_.arm(loop_.now());
}

void Handover::on_timer(net::Timer&) {
  if (why_.empty()) {
    channel_->close();
    why_ = fmt::format("it did not serve within {} s, and was killed", kMost.count() / 1000);
  }
  siginfo_t info{};
  const int waited = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  const bool alive = waited == 0 && info.si_pid == 0;
  if (alive && loop_.now() < until_) return timer_.arm(loop_.now() + kStep);
  if (alive && !killed_) {
    kill(pid_, SIGKILL);
    killed_ = true;
    until_ = loop_.now() + kDeath;
    return timer_.arm(loop_.now() + kStep);
  }
  const std::string end = alive ? "does not end" : net::reap_child(pid_);
  finish(fmt::format("process {} {}: {}", pid_, end, why_));
}

void Handover::finish(const std::string& error) {
  timer_.disarm();
  const Done done = std::exchange(done_, nullptr);
  done(error);
}

void Handover::release(const LateChanges& changes) {
  if (channel_ && channel_->is_open()) channel_->write(release_text(changes));
}

}  // namespace fairlead::edge
