#pragma once
// Many sessions of a load on one epoll loop.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "tests/bench/modes.h"
#include "tests/bench/session.h"

namespace fairlead::bench {

Clock::duration seconds_of(double seconds);

// Where connection number `index` comes from: one of `sources` loopback addresses.
From source_of(const LoadOptions& options, std::size_t index);

class Swarm {
 public:
  // Data frames that ended and bytes that came in session `index`.
  using OnData = std::function<void(std::size_t index, unsigned frames, std::size_t bytes)>;

  explicit Swarm(const LoadOptions& options);

  void on_data(OnData call) { on_data_ = std::move(call); }

  // Opens `count` more, options.opening at a time. Parked ones are not read from but by read().
  void open(std::size_t count, const std::string& path, bool parked = false);

  void send(std::size_t index, std::string_view bytes);
  // Reads once from a parked session.
  void read(std::size_t index, std::size_t limit);

  // Waits for events once, at the latest until `until`, and deals with them.
  void turn(Clock::time_point until);
  void run_until(Clock::time_point until);
  // As run_until without end, until standard input ends.
  void run_until_input_ends();

  // Sends a Close in each session and waits until all have ended.
  void close_all();

  std::size_t size() const { return sessions_.size(); }

 private:
  struct Member {
    std::optional<Session> session;
    std::uint32_t interest = 0;
    bool parked = false;
  };

  void start(const std::string& path, bool parked);
  void step(std::size_t index, std::uint32_t events, std::size_t limit);
  void watch(std::size_t index);
  void ended(std::size_t index);

  LoadOptions options_;
  SSL_CTX* tls_;
  Poll poll_;
  OnData on_data_;
  std::vector<Member> sessions_;
  std::size_t opening_ = 0;  // handshakes on their way
  std::size_t alive_ = 0;
  bool closing_ = false;
  bool input_ended_ = false;
};

}  // namespace fairlead::bench
