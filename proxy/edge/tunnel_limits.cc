// Rates of a session's client: messages, bytes, control frames. Over the limit it is read no
// further (throttle), or told 1008 (close; never for control frames). Bytes are those of whole
// frames, and no more of them are read at once than the bucket holds.

#include <algorithm>

#include "proxy/edge/tunnel.h"

namespace fairlead::edge {

using observe::LimitHit;
using Event = wire::ScanResult::Event;

namespace {

// What is held is looked at again so often a second: each time costs a copy of it.
constexpr double kControlSteps = 10;

bool is_control(Event event) {
  return event == Event::ping || event == Event::pong || event == Event::empty;
}

}  // namespace

void Tunnel::begin_limits() {
  const conf::Limits& limits = route().settings->limits;
  if (!limits.messages && !limits.bytes) return;
  throttle_ = std::make_unique<Throttle>();
  throttle_->limits_messages = limits.messages.has_value();
  throttle_->limits_bytes = limits.bytes.has_value();
  if (limits.messages) throttle_->messages = rules::TokenBucket(*limits.messages, opened_);
  if (limits.bytes) throttle_->bytes = rules::BytePace(*limits.bytes, opened_);
}

// How many more messages may begin; `before` is what the buckets know of.
std::uint64_t Tunnel::messages_left(Side side, const wire::ScanCounters& before) {
  if (begins_no_more(side)) return 0;
  if (side != kClient || !throttle_ || !throttle_->limits_messages || !limited()) return UINT64_MAX;
  std::uint64_t there = throttle_->messages.available(home_.loop.now());
  std::uint64_t begun = peers_[side].counters.messages - before.messages;
  return there > begun ? there - begun : 0;
}

// Takes note of the data frames of a piece, and takes its messages out of the bucket. `before`
// becomes what is accounted for.
void Tunnel::account(Side side, wire::ScanCounters& before) {
  if (dropping(side)) {  // nobody gets it: it does not count
    peers_[side].counters = before;
    return;
  }
  const wire::ScanCounters& after = peers_[side].counters;
  const std::uint64_t bytes = after.bytes - before.bytes;
  const std::uint64_t messages = after.messages - before.messages;
  const std::uint32_t texts = after.texts - before.texts;
  const std::uint32_t continuations = after.continuations - before.continuations;
  if ((bytes | messages | continuations) == 0) return;
  before = after;
  observe::RouteTally::Direction& sums = tally_.traffic[side];
  sums.bytes.add(bytes);
  sums.texts.add(texts);
  sums.binaries.add(messages - texts);
  if (continuations != 0) sums.continuations.add(continuations);
  net::TimePoint now = home_.loop.now();
  last_data_ = now;
  if (side != kClient || !throttle_ || !limited()) return;
  if (throttle_->limits_messages) throttle_->messages.charge(static_cast<double>(messages), now);
}

// How much one read may take.
std::size_t Tunnel::most_to_read(Side side) {
  if (side != kClient || !throttle_ || !throttle_->limits_bytes || !limited()) return SIZE_MAX;
  if (closes_on_excess()) return SIZE_MAX;
  return throttle_->bytes.most(home_.loop.now());
}

// So many bytes were read from a side and passed on.
void Tunnel::charge_bytes(Side side, std::size_t n) {
  if (side != kClient || !throttle_ || !throttle_->limits_bytes || !limited()) return;
  const net::TimePoint now = home_.loop.now();
  throttle_->bytes.charge(n, now);
  if (!closes_on_excess()) {
    throttle_until(now + throttle_->bytes.wait(now), LimitHit::bytes_throttled);
  } else if (throttle_->bytes.exceeded(now)) {
    exceeded(LimitHit::bytes_exceeded);
  }
}

void Tunnel::exceeded(LimitHit limit) {
  home_.counters->limit(limit);
  if (ending_) peers_[kClient].unreadable = true;  // it was told to go, and nothing more passes
  end(rules::Cause::rate_exceeded);
}

// One control frame more than the client may send stands next.
bool Tunnel::too_many_controls(Side side, Event event) {
  if (side != kClient || ending_ || !is_control(event)) return false;
  const std::optional<conf::Rate>& rate = route().settings->limits.control_frames;
  return rate && !controls_.take(*rate, home_.loop.now());
}

bool Tunnel::closes_on_excess() const {
  return route().settings->limits.on_excess == conf::Limits::OnExcess::close;
}

// Reads the client no further until then.
void Tunnel::throttle_until(net::TimePoint resume, LimitHit throttled) {
  if (resume <= home_.loop.now()) return;
  if (!throttle_->waiting) home_.counters->limit(throttled);
  throttle_->resume = throttle_->waiting ? std::max(throttle_->resume, resume) : resume;
  throttle_->waiting = true;
  timer_.arm_by(throttle_->resume);
}

// The next frame would be one too many; `bytes` begin with it. False: it is to be looked at again,
// if at all: the session ends.
bool Tunnel::hold(std::span<const char> bytes, Event event) {
  if (!limited()) return false;
  const net::TimePoint now = home_.loop.now();
  net::TimePoint resume = now + conf::Millis{1};
  if (is_control(event)) {
    const conf::Rate& rate = *route().settings->limits.control_frames;
    resume = std::max(resume, controls_.when(rate, std::max(1.0, rate.per_second / kControlSteps)));
    if (!throttle_) throttle_ = std::make_unique<Throttle>();
    throttle_until(resume, LimitHit::control_frames_throttled);
  } else if (closes_on_excess()) {
    exceeded(LimitHit::messages_exceeded);
    return false;
  } else {
    throttle_until(std::max(resume, now + throttle_->messages.wait(1, now)),
                   LimitHit::messages_throttled);
  }
  throttle_->held.assign(bytes.data(), bytes.size());
  return true;
}

// A side's end was read. Behind messages that are held it waits for its turn: TLS tells both with
// one read.
void Tunnel::ended(Side side, net::IoStatus status) {
  if (side == kClient && throttle_ && !throttle_->held.empty()) {
    throttle_->end = status;
  } else {
    lost(side, status == net::IoStatus::eof);
  }
}

// A session that ends is throttled no more once the server's Close is due: what is held stands in
// front of the client's.
void Tunnel::resume_throttled() {
  if (!throttle_ || !throttle_->waiting || (home_.loop.now() < throttle_->resume && limited()))
    return;
  if (peers_[kBackend].stream->blocked() && !dropping(kClient)) return;  // on_drained asks again
  pass_held();
}

// To the backend with what was read already, whatever the limits say.
void Tunnel::pass_held() {
  if (!throttle_ || !throttle_->waiting) return;
  throttle_->waiting = false;
  std::string held = std::move(throttle_->held);
  throttle_->held.clear();
  if (!held.empty()) relay(kClient, held);
  if (throttle_->waiting) return;
  const net::IoStatus end = throttle_->end;
  if (!throttle_->limits_messages && !throttle_->limits_bytes) throttle_.reset();
  if (end != net::IoStatus::ok) ended(kClient, end);
}

}  // namespace fairlead::edge
