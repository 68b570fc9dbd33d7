#include "proxy/edge/session_tap.h"

#include "proxy/edge/tunnel.h"

namespace fairlead::edge {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

}  // namespace

SessionTap::SessionTap(net::Loop& loop, std::shared_ptr<TapLink> link)
    : loop_(loop),
      link_(std::move(link)),
      rate_({observe::kTapRate, observe::kTapRate}, loop.now()),
      wall_(std::chrono::system_clock::now().time_since_epoch() - loop.now().time_since_epoch()),
      timer_(loop.timers(), *this) {}

void SessionTap::begin(Tunnel& tunnel, std::uint64_t client_skip, std::uint64_t backend_skip) {
  tunnel_ = &tunnel;
  taps_ = {wire::FrameTap(client_skip, link_->bytes), wire::FrameTap(backend_skip, link_->bytes)};
}

void SessionTap::on_readable(net::Stream& stream) {
  tunnel_->read_tapped(stream);
}

void SessionTap::on_drained(net::Stream& stream) {
  tunnel_->on_drained(stream);
}

void SessionTap::see(bool from_client, std::span<const char> bytes) {
  taps_[from_client ? 0 : 1].feed(bytes,
                                  [&](const wire::FrameHeader& header, std::string_view text) {
                                    take(from_client, header, text);
                                  });
}

void SessionTap::take(bool from_client, const wire::FrameHeader& header, std::string_view bytes) {
  const bool behind = link_->under_way.load(std::memory_order_relaxed) >= TapLink::kMost;
  if (behind || !rate_.take(1, loop_.now())) {
    ++batch_.dropped;
    timer_.arm_by(loop_.now() + kGather);
    return;
  }
  observe::TapFrame frame;
  frame.at_us = duration_cast<microseconds>(loop_.now().time_since_epoch() + wall_).count();
  frame.from_client = from_client;
  frame.fin = header.fin;
  frame.masked = header.masked;
  frame.rsv = header.rsv;
  frame.opcode = header.opcode;
  frame.length = header.length;
  frame.bytes = bytes;
  batch_.frames.push_back(std::move(frame));
  if (batch_.frames.size() >= kBatch) return flush();
  timer_.arm_by(loop_.now() + kGather);
}

void SessionTap::flush() {
  timer_.disarm();
  link_->under_way.fetch_add(1, std::memory_order_relaxed);
  link_->deliver(std::exchange(batch_, {}));
}

void SessionTap::on_timer(net::Timer&) {
  // What was dropped is told with the next that is not.
  if (link_->under_way.load(std::memory_order_relaxed) < TapLink::kMost) return flush();
  timer_.arm(loop_.now() + kGather);
}

void SessionTap::end(std::string_view reason) {
  if (!wanted()) return;
  batch_.ended = reason;
  flush();
}

}  // namespace fairlead::edge
