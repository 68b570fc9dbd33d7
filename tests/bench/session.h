#pragma once
// One of the load's sessions: connects, upgrades, then takes frames.

#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/channel.h"
#include "tests/bench/frames.h"
#include "tests/bench/sockets.h"

namespace fairlead::bench {

class Session {
 public:
  enum class State : std::uint8_t { connecting, tls, upgrading, open, ended };

  struct Start {
    Target target;
    SSL_CTX* tls = nullptr;          // null: plain
    SSL_SESSION* resumed = nullptr;  // TLS: offered, may be null
    std::string_view path = "/echo";
    From from;
  };

  // Begins to connect: from now on step() is called for what the socket is ready for.
  explicit Session(const Start& start);

  struct Step {
    unsigned frames = 0;    // data frames that ended
    std::size_t bytes = 0;  // received in the open session
    bool closed = false;    // a Close came
  };

  // After an event: answers Pings by itself. `limit` is of bytes read.
  Step step(std::uint32_t events, std::size_t limit = std::numeric_limits<std::size_t>::max());

  void send(std::string_view bytes);

  State state() const { return state_; }

  // What went wrong when the state is ended: "" after a Close.
  const std::string& why() const { return why_; }

  Channel& channel() { return channel_; }

  // What to be woken for.
  std::uint32_t interest() const;

 private:
  void begin();
  void end(std::string why);
  void take(std::span<const char> bytes, Step& step);
  std::span<const char> take_head(std::span<const char> bytes);

  Channel channel_;
  FrameReader reader_;
  std::string head_;  // the request until it is sent, then the answer
  std::string why_;
  State state_ = State::connecting;
  bool closed_ = false;
};

}  // namespace fairlead::bench
