// The path of a byte. See tunnel_ending.cc for everything that is not on it.

#include "proxy/edge/tunnel.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "proxy/edge/reattach.h"

namespace fairlead::edge {

using Event = wire::ScanResult::Event;

namespace {

// Below it a copy is cheaper than two system calls more (tests/bench/RESULTS.md).
constexpr std::size_t kWorthSplicing = 48 * 1024;

}  // namespace

TunnelParts::TunnelParts() = default;
TunnelParts::TunnelParts(TunnelParts&&) noexcept = default;
TunnelParts::~TunnelParts() = default;

Tunnel::Tunnel(Home& home, TunnelParts parts)
    : Link(home.links),
      home_(home),
      timer_(home.loop.timers(), *this),
      runtime_(std::move(parts.runtime)),
      lease_(std::move(parts.lease)),
      place_(std::move(parts.place)),
      ip_hold_(std::move(parts.ip_hold)),
      tally_(parts.route->counters->of(home.worker)),
      identity_(std::move(parts.identity)),
      opened_(home.loop.now()),
      last_data_(opened_),
      span_(std::move(parts.span)),
      handshake_ms_(static_cast<float>(parts.handshake_ms)),
      extensions_(parts.extensions) {
  ++home_.busy;
  identity_.route = parts.route;
  peers_[kClient].stream = std::move(parts.client);
  peers_[kBackend].stream = std::move(parts.backend);
  begin_limits();
  if (parts.handshake)
    reattach_ = std::make_unique<Reattach>(home, *this, std::move(*parts.handshake));
  set_splicing();
}

void Tunnel::set_splicing() {
  bool plain =
      peers_[kClient].stream->tls() == nullptr && peers_[kBackend].stream->tls() == nullptr;
  // Bytes with a limit are counted a small piece at a time.
  peers_[kClient].spliced = plain && !route().settings->limits.bytes;
  peers_[kBackend].spliced = plain;
}

Tunnel::~Tunnel() {
  --home_.busy;
  if (place_ && identity_.listener != nullptr) --*identity_.listener->connections;
}

void Tunnel::start(std::string_view from_client, std::string_view from_backend) {
  log_open();
  count_open();
  for (Peer& peer : peers_) {
    peer.heard = opened_;
    peer.stream->set_handler(*this);
  }
  if (!from_backend.empty()) relay(kBackend, from_backend);
  if (!from_client.empty()) relay(kClient, from_client);
  charge_bytes(kClient, from_client.size());
  settle();
  if (!dead()) timer_.arm(next_deadline());
}

void Tunnel::on_readable(net::Stream& stream) {
  assert(home_.loop.in_thread());
  Side side = side_of(stream);
  if (!splice(side)) read_piece(side, stream);
  settle();
}

// Returns what was read, in the relay buffer.
std::span<const char> Tunnel::read_piece(Side side, net::Stream& stream) {
  Peer& from = peers_[side];
  std::span<char> buffer = home_.loop.relay_buffer();
  std::size_t tail = from.tail ? from.tail->size() : 0;
  static_assert(net::Loop::kHeadroom >= wire::kMaxControlFrame);
  if (tail != 0) std::memcpy(buffer.data() - tail, from.tail->data(), tail);
  net::ReadResult got = stream.read(buffer, most_to_read(side));
  if (got.n != 0) {
    from.heard = home_.loop.now();
    if (tail != 0) from.tail->clear();
    std::uint64_t begun = from.counters.messages;
    relay(side, {buffer.data() - tail, tail + got.n});
    charge_bytes(side, got.n);
    from.bulk = got.n >= kWorthSplicing && from.counters.messages <= begun + 1;
  }
  if (got.status != net::IoStatus::ok) ended(side, got.status);
  return buffer.first(got.n);
}

// Passes a large frame, or what is left of it, from socket to socket. After a large frame the next
// header is looked at before anything is read. False: nothing was done, read.
bool Tunnel::splice(Side side) {
  Peer& from = peers_[side];
  Peer& to = peers_[other(side)];
  if (!from.bulk || !from.spliced || ending_ || from.gone || from.close_got || dropping(side) ||
      (from.tail && !from.tail->empty()) || !to.stream->can_splice(*from.stream)) {
    return false;
  }
  wire::FrameScanner scanner = from.scanner;
  wire::ScanCounters counters = from.counters;
  std::size_t head = 0;
  if (scanner.mid_frame()) {
    // One read takes the end of a frame and the next one's header: cheaper than two small steps.
    if (scanner.frame_remaining() < home_.loop.relay_buffer().size()) return false;
  } else {
    std::array<char, wire::kMaxFrameHeader> start{};
    std::span<const char> seen = std::span(start).first(from.stream->peek(start));
    wire::ScanResult result = scanner.scan(seen, rules_of(side), extensions_, counters,
                                           messages_left(side, from.counters));
    if (result.event != Event::none) return false;
    head = result.pass;
  }
  if (scanner.frame_remaining() < kWorthSplicing) return false;
  auto rest = static_cast<std::size_t>(
      std::min<std::uint64_t>(scanner.frame_remaining(), net::Stream::kSpliceMost));
  std::optional<net::ReadResult> got = to.stream->splice_from(*from.stream, head + rest, head);
  if (!got) return false;
  if (got->n != 0) {
    scanner.skip(got->n - head, counters);
    from.heard = home_.loop.now();
    wire::ScanCounters before = std::exchange(from.counters, counters);
    from.scanner = scanner;
    from.bulk = got->n >= kWorthSplicing || !scanner.mid_frame();  // else it comes in drops
    account(side, before);
  }
  if (to.stream->error() != 0) {
    lost(other(side));
  } else if (to.stream->blocked()) {
    timer_.arm_by(next_stall_look(*to.stream));
  }
  if (got->status != net::IoStatus::ok) ended(side, got->status);
  return true;
}

// Forwards what may pass of a piece, in one write unless a Pong of ours stands in its middle.
void Tunnel::relay(Side side, std::span<const char> bytes) {
  Peer& from = peers_[side];
  Peer& to = peers_[other(side)];
  wire::ScanCounters before = from.counters;
  if (to.close_due != 0 && !begins_no_more(side)) bytes = finish_frame(side, bytes, before);
  std::size_t start = 0;  // [start, at) has been scanned and waits to be forwarded
  std::size_t at = 0;
  while (!from.close_got && !from.unreadable) {
    wire::ScanResult result = from.scanner.scan(bytes.subspan(at), rules_of(side), extensions_,
                                                from.counters, messages_left(side, before));
    at += result.pass;
    if (result.event == Event::none) {
      forward(other(side), bytes.subspan(start, at - start));
      keep_tail(from, bytes.subspan(at));
      break;
    }
    if (result.event == Event::message_limit || too_many_controls(side, result.event)) {
      forward(other(side), bytes.subspan(start, at - start));
      account(side, before);
      start = at;
      if (result.event == Event::message_limit && begins_no_more(side)) {
        leave_before(side);
        continue;
      }
      if (hold(bytes.subspan(at), result.event)) break;
      continue;  // on_excess = "close": what follows is read only, for its Close
    }
    // A frame that is to pass as it is stays part of the run that waits.
    bool ours = result.event == Event::pong &&
                is_our_pong(from, bytes.subspan(at, result.frame), result.header);
    bool passes = result.event == Event::ping || result.event == Event::empty ||
                  (result.event == Event::pong && !ours);
    if (passes) {
      count_passing(side, result.event);
    } else {
      forward(other(side), bytes.subspan(start, at - start));
      account(side, before);
    }
    if (!passes && !ours && !relay_event(side, bytes.subspan(at, result.frame), result)) break;
    at += result.frame;
    if (!passes) start = at;
  }
  account(side, before);
  if (to.ping_due) {
    check_leaving();
    if (to.ping_due) try_ping(other(side));
  }
}

// A Close or a violation: the last thing that counts from this side. False: stop scanning.
bool Tunnel::relay_event(Side side, std::span<const char> frame, const wire::ScanResult& result) {
  using enum rules::Cause;
  if (result.event == Event::close) {
    close_frame(side, frame, result.header);
    return false;
  }
  peers_[side].unreadable = true;
  bool client = side == kClient;
  switch (wire::close_code(result.violation)) {
    case 1009:
      count_too_big(side, result.violation);
      end(client ? client_message_too_big : backend_message_too_big);
      break;
    case 1007:
      end(client ? client_bad_text : backend_bad_text);
      break;
    default:
      end(client ? client_protocol_error : backend_protocol_error);
      break;
  }
  return false;
}

// A Close is due for the other side: only the frame that is on its way may still be completed.
std::span<const char> Tunnel::finish_frame(Side side, std::span<const char> bytes,
                                           wire::ScanCounters& before) {
  Peer& from = peers_[side];
  auto n = static_cast<std::size_t>(
      std::min<std::uint64_t>(from.scanner.frame_remaining(), bytes.size()));
  forward(other(side), bytes.first(n));
  from.scanner.skip(n, from.counters);
  account(side, before);
  try_close(other(side));
  return bytes.subspan(n);
}

void Tunnel::forward(Side to_side, std::span<const char> bytes) {
  if (bytes.empty() || dropping(other(to_side))) return;
  net::Stream& stream = *peers_[to_side].stream;
  if (!stream.write(bytes)) return lost(to_side);
  if (stream.blocked()) timer_.arm_by(next_stall_look(stream));
}

void Tunnel::keep_tail(Peer& from, std::span<const char> bytes) {
  if (bytes.empty()) return;
  if (!from.tail) from.tail = std::make_unique<std::string>();
  from.tail->assign(bytes.data(), bytes.size());
}

// A Pong to any Ping of ours is ours and goes no further. The last one is timed.
bool Tunnel::is_our_pong(Peer& from, std::span<const char> frame, const wire::FrameHeader& header) {
  if (!from.pings.any()) return false;
  const wire::ControlPayload payload = wire::control_payload(header, frame);
  const OwnPings::Pong pong = from.pings.classify(payload.view());
  if (pong != OwnPings::Pong::last || !from.waiting) return pong != OwnPings::Pong::foreign;
  from.waiting = false;
  if (from.ping_behind || from.ping_untimed)
    return true;  // how long it took says nothing of the way
  const bool client = &from == &peers_[kClient];
  const std::chrono::duration<float> rtt = home_.loop.now() - from.pinged;
  if (client) rtt_ms_ = rtt.count() * 1000;
  home_.counters->ping_rtt[client ? kClient : kBackend].add(rtt.count());
  return true;
}

// A side is read while what it sends can go somewhere: a peer that does not keep up stops its
// source (backpressure).
void Tunnel::update_reading() {
  for (Side side : {kClient, kBackend}) {
    Peer& from = peers_[side];
    if (!from.stream->is_open()) continue;
    bool held = side == kClient && throttle_ && throttle_->waiting && !dropping(side);
    bool room = dropping(side) || !peers_[other(side)].stream->blocked();
    bool on = !from.gone && !from.ended && !held && room;
    if (!on && side == kClient && from.stream->reading()) watch_paused_client();
    if (on && !from.stream->reading()) from.heard = home_.loop.now();  // its silence was ours
    from.stream->want_read(on);
  }
}

void Tunnel::on_drained(net::Stream& stream) {
  Side side = side_of(stream);
  if (stream.error() != 0) lost(side);
  if (peers_[side].ping_due) try_ping(side);
  if (side == kBackend) resume_throttled();
  if (reattach_) read_old_server();
  settle();
}

}  // namespace fairlead::edge
