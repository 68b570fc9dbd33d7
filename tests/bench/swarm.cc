#include "tests/bench/swarm.h"

#include <unistd.h>

#include <limits>

namespace fairlead::bench {
namespace {

constexpr std::uint64_t kInput = std::numeric_limits<std::uint64_t>::max();
constexpr int kParkedBuffer = 16 * 1024;

}  // namespace

Clock::duration seconds_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

From source_of(const LoadOptions& options, std::size_t index) {
  std::size_t number = index % options.sources;
  constexpr std::uint32_t kFirst = 0x7F000101;  // 127.0.1.1
  return {static_cast<std::uint32_t>(kFirst + (number / 250) * 256 + number % 250), 0};
}

Swarm::Swarm(const LoadOptions& options)
    : options_(options), tls_(options.tls ? client_context() : nullptr) {}

void Swarm::open(std::size_t count, const std::string& path, bool parked) {
  std::size_t all = sessions_.size() + count;
  sessions_.reserve(all);
  while (sessions_.size() < all || opening_ > 0) {
    while (sessions_.size() < all && opening_ < options_.opening) start(path, parked);
    turn(Clock::time_point::max());
  }
}

void Swarm::start(const std::string& path, bool parked) {
  std::size_t index = sessions_.size();
  Session::Start how{options_.target, tls_, nullptr, path, source_of(options_, index)};
  if (parked) how.from.receive_buffer = kParkedBuffer;
  Member& member = sessions_.emplace_back();
  member.session.emplace(how);
  member.parked = parked;
  member.interest = EPOLLIN | EPOLLOUT;
  poll_.add(member.session->channel().fd(), member.interest, tag(index));
  ++opening_;
  ++alive_;
}

void Swarm::send(std::size_t index, std::string_view bytes) {
  sessions_[index].session->send(bytes);
  watch(index);
}

void Swarm::read(std::size_t index, std::size_t limit) {
  step(index, EPOLLIN, limit);
}

void Swarm::turn(Clock::time_point until) {
  Clock::duration rest =
      until == Clock::time_point::max() ? std::chrono::seconds(1) : until - Clock::now();
  for (epoll_event& event : poll_.wait(rest)) {
    if (event.data.u64 == kInput) {
      input_ended_ = true;
    } else {
      step(static_cast<std::size_t>(event.data.u64), event.events,
           std::numeric_limits<std::size_t>::max());
    }
  }
}

void Swarm::run_until(Clock::time_point until) {
  while (Clock::now() < until) turn(until);
}

void Swarm::run_until_input_ends() {
  poll_.add(STDIN_FILENO, EPOLLIN, tag(kInput));
  while (!input_ended_) turn(Clock::time_point::max());
}

void Swarm::close_all() {
  closing_ = true;
  std::string frame = make_control(wire::Opcode::close, "\x03\xE8");
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    if (sessions_[i].session) send(i, frame);
  }
  while (alive_ > 0) turn(Clock::time_point::max());
}

void Swarm::step(std::size_t index, std::uint32_t events, std::size_t limit) {
  Member& member = sessions_[index];
  if (!member.session) return;
  Session& session = *member.session;
  bool was_open = session.state() == Session::State::open;
  Session::Step done = session.step(events, limit);
  if (!was_open && session.state() == Session::State::open) --opening_;
  if (on_data_ && done.bytes > 0) on_data_(index, done.frames, done.bytes);
  watch(index);
}

void Swarm::watch(std::size_t index) {
  Member& member = sessions_[index];
  if (!member.session) return;
  Session& session = *member.session;
  if (session.state() == Session::State::ended) return ended(index);
  std::uint32_t interest = session.interest();
  if (member.parked && session.state() == Session::State::open) interest &= ~std::uint32_t{EPOLLIN};
  if (interest == member.interest) return;
  member.interest = interest;
  poll_.change(session.channel().fd(), interest, tag(index));
}

void Swarm::ended(std::size_t index) {
  if (!closing_) die("session " + std::to_string(index) + ": " + sessions_[index].session->why());
  sessions_[index].session.reset();
  --alive_;
}

}  // namespace fairlead::bench
