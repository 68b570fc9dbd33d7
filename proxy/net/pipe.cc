#include "proxy/net/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace fairlead::net {
namespace {

// A page of a socket takes a whole slot of the pipe, be it full or not, so the pipe is larger than
// what it is to hold. Where the user may not have so much (pipe-user-pages-soft) it stays as made.
constexpr int kWantedSize = 1024 * 1024;

}  // namespace

Pipe::Pipe(Pipe&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)),
      held_(std::exchange(other.held_, 0)) {}

Pipe& Pipe::operator=(Pipe&& other) noexcept {
  if (this == &other) return *this;
  let_go();
  pool_ = std::exchange(other.pool_, nullptr);
  in_ = std::move(other.in_);
  out_ = std::move(other.out_);
  held_ = std::exchange(other.held_, 0);
  return *this;
}

ssize_t Pipe::fill(int socket, std::size_t n) {
  ssize_t moved = splice(socket, nullptr, in_.get(), nullptr, n, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  if (moved > 0) held_ += static_cast<std::size_t>(moved);
  return moved;
}

ssize_t Pipe::empty(int socket) {
  ssize_t moved =
      splice(out_.get(), nullptr, socket, nullptr, held_, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  if (moved > 0) held_ -= static_cast<std::size_t>(moved);
  return moved;
}

std::string Pipe::take_back() {
  std::string bytes(held_, '\0');
  ssize_t got = read(out_.get(), bytes.data(), bytes.size());
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  held_ -= bytes.size();
  return bytes;
}

void Pipe::let_go() {
  PipePool* pool = std::exchange(pool_, nullptr);
  if (pool == nullptr) return;
  --pool->used_;
  if (held_ == 0 && pool->kept_.size() < PipePool::kKept) {
    pool->kept_.emplace_back(std::move(in_), std::move(out_));
  }
  in_.reset();
  out_.reset();
  held_ = 0;
}

Pipe PipePool::take() {
  Pipe pipe;
  if (used_ == kMost) return pipe;
  if (!kept_.empty()) {
    pipe.in_ = std::move(kept_.back().first);
    pipe.out_ = std::move(kept_.back().second);
    kept_.pop_back();
  } else {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) return pipe;
    pipe.out_ = Fd(ends[0]);
    pipe.in_ = Fd(ends[1]);
    fcntl(ends[1], F_SETPIPE_SZ, kWantedSize);
  }
  pipe.pool_ = this;
  ++used_;
  return pipe;
}

}  // namespace fairlead::net
