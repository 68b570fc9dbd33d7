// The raw relay: reads and writes bytes and knows nothing. What a proxy built on epoll, one thread
// and OpenSSL cannot go below; no timers, no heads, no frames.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "tests/bench/channel.h"
#include "tests/bench/modes.h"
#include "tests/bench/sockets.h"

namespace fairlead::bench {
namespace {

struct Pair;

struct Pipe {
  int out = -1;
  int in = -1;
};

// One connection of a pair; `pipe` holds what it sent and the other has not taken (splice only).
struct Half {
  Channel channel;
  Pair* pair = nullptr;
  std::uint32_t interest = EPOLLIN;
  Pipe pipe;
  std::size_t in_pipe = 0;
};

struct Pair {
  Half client;
  Half server;
  bool dead = false;
};

class Relay {
 public:
  explicit Relay(const RelayOptions& options)
      : options_(options),
        context_(options.tls_port != 0 ? server_context(options.cert, options.key) : nullptr),
        plain_(options.plain_port != 0 ? listen_at(options.plain_port) : -1),
        sealed_(options.tls_port != 0 ? listen_at(options.tls_port) : -1) {
    if (plain_ >= 0) poll_.add(plain_, EPOLLIN, tag(&plain_));
    if (sealed_ >= 0) poll_.add(sealed_, EPOLLIN, tag(&sealed_));
  }

  [[noreturn]] void run() {
    while (true) {
      for (epoll_event& event : poll_.wait()) dispatch(event);
      for (Pair* pair : dead_) delete pair;
      dead_.clear();
    }
  }

 private:
  void dispatch(const epoll_event& event) {
    if (event.data.ptr == &plain_) return accept_all(plain_, nullptr);
    if (event.data.ptr == &sealed_) return accept_all(sealed_, context_);
    auto* half = static_cast<Half*>(event.data.ptr);
    if (half->pair->dead) return;
    bool ok = true;
    if ((event.events & EPOLLOUT) != 0) ok = resume(*half);
    if (ok && (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) ok = carry(*half);
    if (!ok) end(*half->pair);
  }

  void accept_all(int listening, SSL_CTX* context) {
    for (int turn = 0; turn < 64; ++turn) {
      int fd = accept_from(listening);
      if (fd < 0) return;
      auto* pair = new Pair;
      bool tls = context != nullptr;
      pair->client.channel = Channel(fd, tls ? std::make_unique<TlsEnd>(context, true) : nullptr);
      pair->server.channel = Channel(connect_to(options_.target));
      for (Half* half : {&pair->client, &pair->server}) {
        half->pair = pair;
        poll_.add(half->channel.fd(), EPOLLIN, tag(half));
      }
    }
  }

  Half& other(Half& half) {
    return &half == &half.pair->client ? half.pair->server : half.pair->client;
  }

  // From this one to the other; false when the pair is at its end.
  bool carry(Half& from) {
    Half& to = other(from);
    if (options_.splice && from.pair->client.channel.tls() == nullptr)
      return carry_spliced(from, to);
    Channel::Read read = from.channel.read(options_.buffer);
    if (!read.bytes.empty() && !to.channel.write(read.bytes)) return false;
    want(to, EPOLLOUT, to.channel.pending());
    want(from, EPOLLOUT, from.channel.pending());  // TLS answers by itself
    want(from, EPOLLIN, !to.channel.pending());
    return !read.ended;
  }

  bool carry_spliced(Half& from, Half& to) {
    if (from.pipe.in < 0) from.pipe = take_pipe();
    ssize_t n = splice(from.channel.fd(), nullptr, from.pipe.in, nullptr, 1 << 20,
                       SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
    if (n > 0) from.in_pipe += static_cast<std::size_t>(n);
    return empty_pipe(from, to);
  }

  bool empty_pipe(Half& from, Half& to) {
    if (from.in_pipe > 0) {
      ssize_t n = splice(from.pipe.out, nullptr, to.channel.fd(), nullptr, from.in_pipe,
                         SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (n < 0 && errno != EAGAIN) return false;
      if (n > 0) from.in_pipe -= static_cast<std::size_t>(n);
    }
    bool full = from.in_pipe > 0;
    if (!full && from.pipe.in >= 0) spare_.push_back(std::exchange(from.pipe, {}));
    want(to, EPOLLOUT, full);
    want(from, EPOLLIN, !full);
    return true;
  }

  // The peer of `to` takes more.
  bool resume(Half& to) {
    Half& from = other(to);
    if (from.in_pipe > 0) return empty_pipe(from, to);
    if (!to.channel.flush()) return false;
    want(to, EPOLLOUT, to.channel.pending());
    want(from, EPOLLIN, !to.channel.pending());
    return true;
  }

  void want(Half& half, std::uint32_t event, bool on) {
    std::uint32_t next = on ? half.interest | event : half.interest & ~event;
    if (next == half.interest) return;
    half.interest = next;
    poll_.change(half.channel.fd(), next, tag(&half));
  }

  Pipe take_pipe() {
    if (!spare_.empty()) {
      Pipe pipe = spare_.back();
      spare_.pop_back();
      return pipe;
    }
    int ends[2];
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) die("no pipe");
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);  // refused: it stays as it is
    return {ends[0], ends[1]};
  }

  void end(Pair& pair) {
    for (Half* half : {&pair.client, &pair.server}) {
      half->channel.flush();
      if (half->pipe.in >= 0) {
        close(half->pipe.in);
        close(half->pipe.out);
      }
      half->channel = Channel();
    }
    pair.dead = true;
    dead_.push_back(&pair);
  }

  RelayOptions options_;
  SSL_CTX* context_;
  Poll poll_;
  int plain_;
  int sealed_;
  std::vector<Pipe> spare_;
  std::vector<Pair*> dead_;
};

}  // namespace

int run_relay(const RelayOptions& options) {
  Relay(options).run();
}

}  // namespace fairlead::bench
