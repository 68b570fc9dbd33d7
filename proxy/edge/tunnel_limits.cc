// Message and byte rates of a session's client: over the limit it is read no further (throttle), or
// told 1008 (close).

#include <algorithm>

#include "proxy/edge/tunnel.h"

namespace fairlead::edge {

using observe::LimitHit;

// How many more messages may begin; `before` is what the buckets know of.
std::uint64_t Tunnel::messages_left(Side side, const wire::ScanCounters& before) {
  if (begins_no_more(side)) return 0;
  if (side != kClient || !throttle_ || !throttle_->limits_messages || !limited()) return UINT64_MAX;
  std::uint64_t there = throttle_->messages.available(home_.loop.now());
  std::uint64_t begun = peers_[side].counters.messages - before.messages;
  return there > begun ? there - begun : 0;
}

// Takes note of the data frames of a piece, and takes it out of the buckets. Bytes are charged
// after the fact: a piece is read whole, and a debt is paid by waiting. `before` becomes what is
// accounted for.
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
  if (throttle_->limits_bytes) {
    throttle_->bytes.charge(static_cast<double>(bytes), now);
    throttle_until(now + throttle_->bytes.wait(0, now), LimitHit::bytes_throttled);
  }
}

// Reads the client no further until then.
void Tunnel::throttle_until(net::TimePoint resume, LimitHit throttled) {
  if (resume <= home_.loop.now()) return;
  if (route().settings->limits.on_excess == conf::Limits::OnExcess::close) {
    const bool bytes = throttled == LimitHit::bytes_throttled;
    home_.counters->limit(bytes ? LimitHit::bytes_exceeded : LimitHit::messages_exceeded);
    if (ending_) peers_[kClient].unreadable = true;  // it was told to go, and nothing more passes
    return end(rules::Cause::rate_exceeded);
  }
  if (!throttle_->waiting) home_.counters->limit(throttled);
  throttle_->resume = throttle_->waiting ? std::max(throttle_->resume, resume) : resume;
  throttle_->waiting = true;
  timer_.arm_by(throttle_->resume);
}

// The next message would be one too many; `bytes` begin with it. False: that has ended the session.
bool Tunnel::hold(std::span<const char> bytes) {
  if (!limited()) return false;
  net::TimePoint now = home_.loop.now();
  throttle_until(now + std::max(throttle_->messages.wait(1, now), conf::Millis{1}),
                 LimitHit::messages_throttled);
  if (!throttle_->waiting) return false;
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
  if (throttle_->end != net::IoStatus::ok) ended(kClient, throttle_->end);
}

}  // namespace fairlead::edge
