// Plain HTTP: GETs on connections that stay, each asked again when its answer is whole.

#include <charconv>
#include <optional>

#include "tests/bench/report.h"
#include "tests/bench/swarm.h"

namespace fairlead::bench {
namespace {

// One connection, one request in flight.
class Getter {
 public:
  Getter(Channel channel, const std::string& request)
      : channel_(std::move(channel)), request_(request) {}

  // After an event. True: an answer is whole, and the next request is on its way.
  bool step(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) {
      if (!channel_.flush()) die("a connection ended");
      if (!begun_) begin();
    }
    if ((events & ~std::uint32_t{EPOLLOUT}) == 0) return false;
    Channel::Read read = channel_.read();
    if (channel_.tls() != nullptr && channel_.tls()->established() && !asked_) ask();
    bool whole = take(read.bytes);
    if (read.ended) die("a connection ended");
    if (whole) ask();
    return whole;
  }

  const Channel& channel() const { return channel_; }

  std::uint32_t interest() const {
    return !begun_ || channel_.pending() ? EPOLLIN | EPOLLOUT : EPOLLIN;
  }

  std::uint32_t watched = EPOLLIN | EPOLLOUT;

 private:
  void begin() {
    begun_ = true;
    if (channel_.tls() == nullptr) {
      ask();
    } else if (!channel_.begin_tls()) {
      die("no TLS");
    }
  }

  void ask() {
    asked_ = true;
    if (!channel_.write(request_)) die("a connection ended");
  }

  bool take(std::span<const char> bytes) {
    if (!left_) bytes = take_head(bytes);
    if (!left_) return false;
    if (bytes.size() > *left_) die("more than was asked for");
    *left_ -= bytes.size();
    if (*left_ != 0) return false;
    left_.reset();
    return true;
  }

  // Returns what follows the head.
  std::span<const char> take_head(std::span<const char> bytes) {
    std::size_t before = head_.size();
    head_.append(bytes.data(), bytes.size());
    std::size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) return {};
    if (!head_.starts_with("HTTP/1.1 200")) die("not a 200 but " + head_.substr(0, 40));
    left_ = length();
    bytes = bytes.subspan(end + 4 - before);
    head_.clear();
    return bytes;
  }

  std::size_t length() const {
    std::size_t at = head_.find("ontent-");  // of whatever case
    while (at != std::string::npos && head_[at + 7] != 'L' && head_[at + 7] != 'l')
      at = head_.find("ontent-", at + 1);
    if (at == std::string::npos) die("an answer without Content-Length");
    at = head_.find(':', at) + 1;
    while (head_[at] == ' ') ++at;
    std::size_t length = 0;
    std::from_chars(head_.data() + at, head_.data() + head_.size(), length);
    return length;
  }

  Channel channel_;
  const std::string& request_;
  std::string head_;
  std::optional<std::size_t> left_;  // of the body
  bool begun_ = false;
  bool asked_ = false;
};

class Getters {
 public:
  explicit Getters(const LoadOptions& options)
      : request_("GET /get?size=" + std::to_string(options.size) +
                 " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n") {
    SSL_CTX* tls = options.tls ? client_context() : nullptr;
    for (std::size_t i = 0; i < options.connections; ++i) {
      std::unique_ptr<TlsEnd> end;
      if (tls != nullptr) end = std::make_unique<TlsEnd>(tls, false);
      Channel channel(connect_to(options.target, source_of(options, i)), std::move(end));
      int fd = channel.fd();
      getters_.push_back(std::make_unique<Getter>(std::move(channel), request_));
      poll_.add(fd, getters_.back()->watched, tag(i));
    }
  }

  void run_until(Clock::time_point until) {
    while (Clock::now() < until) {
      for (epoll_event& event : poll_.wait(until - Clock::now())) {
        Getter& getter = *getters_[static_cast<std::size_t>(event.data.u64)];
        if (getter.step(event.events)) ++done_;
        if (getter.interest() == getter.watched) continue;
        getter.watched = getter.interest();
        poll_.change(getter.channel().fd(), getter.watched, event.data);
      }
    }
  }

  double done() const { return done_; }

 private:
  std::string request_;
  Poll poll_;
  std::vector<std::unique_ptr<Getter>> getters_;
  double done_ = 0;
};

}  // namespace

int load_get(const LoadOptions& options) {
  Getters getters(options);
  say("open");
  getters.run_until(Clock::now() + seconds_of(options.warm));
  say("warm");
  double before = getters.done();
  auto begin = Clock::now();
  getters.run_until(begin + seconds_of(options.seconds));
  double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  say("done");
  Report("get")
      .number("connections", options.connections)
      .number("count", getters.done() - before)
      .number("seconds", seconds)
      .print();
  return 0;
}

}  // namespace fairlead::bench
