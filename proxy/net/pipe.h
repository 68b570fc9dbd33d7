#pragma once
// Pipes for splice(2): payload passes from socket to socket without a copy through the process. A
// stream holds one only while bytes of its own stand in it.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "proxy/net/socket.h"

namespace fairlead::net {

class PipePool;

// Goes back to its pool when it is let go; with bytes still in it, it is closed instead.
class Pipe {
 public:
  Pipe() = default;
  Pipe(Pipe&& other) noexcept;
  Pipe& operator=(Pipe&& other) noexcept;

  ~Pipe() { let_go(); }

  explicit operator bool() const { return pool_ != nullptr; }

  std::size_t held() const { return held_; }

  // Moves up to `n` bytes from a socket into the pipe, or out of it into a socket; both as
  // splice(2) returns: bytes moved, 0 at the end of the stream, or -1 with errno. Neither waits.
  ssize_t fill(int socket, std::size_t n);
  ssize_t empty(int socket);
  // Takes all of a few bytes out again, to be read like any others.
  std::string take_back();

 private:
  friend class PipePool;
  void let_go();

  PipePool* pool_ = nullptr;
  Fd in_;
  Fd out_;
  std::size_t held_ = 0;
};

// A thread's pipes; outlives them all.
class PipePool {
 public:
  // How many may be in use: two descriptors each, which accepting needs too. Sessions beyond it are
  // copied.
  static constexpr unsigned kMost = 32;

  PipePool() = default;
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;

  // An empty pipe, or none: copy then.
  Pipe take();

  unsigned used() const { return used_; }

  std::size_t kept() const { return kept_.size(); }  // empty ones, for the next

 private:
  friend class Pipe;
  static constexpr std::size_t kKept = 4;

  unsigned used_ = 0;
  std::vector<std::pair<Fd, Fd>> kept_;
};

}  // namespace fairlead::net
