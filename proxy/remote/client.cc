#include "proxy/remote/client.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "conf/config.h"
#include "proxy/net/socket.h"
#include "proxy/remote/event_reader.h"
#include "proxy/wire/body_scanner.h"
#include "proxy/wire/head_parser.h"
#include "proxy/wire/head_writer.h"

namespace fairlead::remote {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kEventWait{30'000};
constexpr wire::HeadLimits kHeadLimits{conf::bounds::kHeadBytes, conf::bounds::kHeadFields};

// A non-blocking socket and the time that is left for all of it.
class Line {
 public:
  explicit Line(std::chrono::milliseconds deadline) : end_(Clock::now() + deadline) {}

  void renew(std::chrono::milliseconds deadline) { end_ = Clock::now() + deadline; }

  bool connect(const conf::Address& address) {
    net::SocketAddress raw{};
    const socklen_t size = net::to_sockaddr(address, raw);
    if (size == 0) return fail(EINVAL);
    fd_ = net::Fd(socket(raw.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd_) return fail(errno);
    if (::connect(fd_.get(), &raw.any, size) == 0) return true;
    if (errno != EINPROGRESS) return fail(errno);
    if (!wait(POLLOUT)) return false;
    int problem = 0;
    socklen_t length = sizeof problem;
    getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &problem, &length);
    return problem == 0 || fail(problem);
  }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
      if (n >= 0 || errno == EINTR) continue;
      if (errno != EAGAIN) return fail(errno);
      if (!wait(POLLOUT)) return false;
    }
    return true;
  }

  // What has come, "" at its end. False: it failed.
  bool receive(std::string_view& bytes) {
    for (;;) {
      const ssize_t n = recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
      if (n >= 0) {
        bytes = {buffer_.data(), static_cast<std::size_t>(n)};
        return true;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return fail(errno);
      if (!wait(POLLIN)) return false;
    }
  }

  const std::string& error() const { return error_; }

 private:
  bool wait(short what) {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now()).count();
      pollfd one{fd_.get(), what, 0};
      const int n = left <= 0 ? 0 : poll(&one, 1, static_cast<int>(left));
      if (n > 0) return true;
      if (n == 0) return fail(ETIMEDOUT);
      if (errno != EINTR) return fail(errno);
    }
  }

  bool fail(int error_number) {
    error_ = net::error_text(error_number);
    return false;
  }

  Clock::time_point end_;
  net::Fd fd_;
  std::string error_;
  std::array<char, 16 * 1024> buffer_{};
};

std::string request_text(const Question& question) {
  std::string out;
  wire::HeadWriter head(out);
  head.request_line(question.method, question.path);
  head.field("Host", "localhost").field("Accept", "application/json");
  if (!question.token.empty()) head.field("Authorization", "Bearer " + question.token);
  if (!question.body.empty()) head.field("Content-Type", "application/json");
  if (question.method != "GET") head.field("Content-Length", std::to_string(question.body.size()));
  head.field("Connection", "close");
  head.end();
  return out + question.body;
}

// The answer's bytes put together, bounded.
class Reader {
 public:
  explicit Reader(std::size_t most) : most_(most), scanner_(kHeadLimits) {}

  // False: this is no answer, or too much of one.
  bool take(std::string_view bytes) {
    if (!body_scanner_ && !take_head(bytes)) return false;
    while (body_scanner_ && !complete() && !bytes.empty()) {
      const wire::BodyScanner::Part part = body_scanner_->next(bytes);
      if (body_scanner_->state() == wire::BodyScanner::State::error) return false;
      if (body_.size() + part.payload > most_) return false;
      body_.append(bytes.substr(part.taken - part.payload, part.payload));
      bytes.remove_prefix(part.taken);
    }
    return true;
  }

  bool complete() const {
    return body_scanner_ && body_scanner_->state() == wire::BodyScanner::State::complete;
  }

  // Whether the connection's end is the answer's.
  bool ends_with_connection() const { return until_close_; }

  Reply reply() { return {status_, std::move(body_), ""}; }

  // Its head has come, and says that events follow.
  bool events() const { return events_; }

  // What has come of the body since the last call.
  std::string take_body() { return std::exchange(body_, {}); }

 private:
  bool take_head(std::string_view& bytes) {
    const std::size_t before = head_.size();
    const auto scan = scanner_.feed(bytes);
    if (scan == wire::HeadScanner::State::error) return false;
    const bool whole = scan == wire::HeadScanner::State::complete;
    const std::size_t used = whole ? scanner_.size() - before : bytes.size();
    head_.append(bytes.substr(0, used));
    bytes.remove_prefix(used);
    if (!whole) return true;
    wire::ResponseHead head;
    if (wire::parse_response(head_, head) != wire::HeadError::none) return false;
    const wire::ResponseFraming framing = wire::response_framing(head, "GET");
    if (!framing.ok || head.status < 200) return false;
    status_ = head.status;
    events_ = head.status == 200 && head.fields.get("Content-Type") == "text/event-stream";
    until_close_ = framing.framing.kind == wire::Framing::Kind::until_close;
    body_scanner_.emplace(framing.framing);
    return true;
  }

  const std::size_t most_;
  wire::HeadScanner scanner_;
  std::string head_;
  int status_ = 0;
  bool until_close_ = false;
  bool events_ = false;
  std::optional<wire::BodyScanner> body_scanner_;
  std::string body_;
};

}  // namespace

Reply ask(const conf::Address& address, const Question& question, const ClientLimits& limits) {
  Line line(limits.deadline);
  if (!line.connect(address) || !line.send(request_text(question))) return {0, "", line.error()};
  Reader reader(limits.body);
  while (!reader.complete()) {
    std::string_view bytes;
    if (!line.receive(bytes)) return {0, "", line.error()};
    if (bytes.empty() && reader.ends_with_connection()) break;
    if (bytes.empty()) return {0, "", "the connection ended before the answer did"};
    if (!reader.take(bytes)) return {0, "", "what answers there is no admin endpoint"};
  }
  return reader.reply();
}

Reply listen(const conf::Address& address, const Question& question, const TakeEvent& take) {
  const ClientLimits limits;
  Line line(limits.deadline);
  if (!line.connect(address) || !line.send(request_text(question))) return {0, "", line.error()};
  Reader reader(limits.body);
  EventReader events;
  while (!reader.complete()) {
    std::string_view bytes;
    if (!line.receive(bytes)) return {0, "", line.error()};
    if (bytes.empty() && reader.ends_with_connection()) break;
    if (bytes.empty()) return {0, "", "the connection ended before the answer did"};
    if (!reader.take(bytes)) return {0, "", "what answers there is no admin endpoint"};
    if (!reader.events()) continue;
    line.renew(kEventWait);
    if (!events.feed(reader.take_body(), take)) break;
  }
  return reader.reply();
}

}  // namespace fairlead::remote
