// What is seen of a session from outside: its log lines, and the admin endpoint's view of it.

#include "proxy/edge/reattach.h"
#include "proxy/edge/tunnel.h"

namespace fairlead::edge {

bool Tunnel::matches(const observe::SessionFilter& filter) const {
  const conf::Route& settings = *route().settings;
  if (!filter.route.empty() && settings.name != filter.route) return false;
  if (!filter.backend.empty() && settings.backend != filter.backend) return false;
  if (!filter.server.empty() && (!lease_ || lease_.server().name != filter.server)) return false;
  return !filter.client || (identity_.has_ip && filter.client->contains(identity_.client_ip));
}

std::uint64_t Tunnel::messages() const {
  return peers_[kClient].counters.messages + peers_[kBackend].counters.messages;
}

std::uint64_t Tunnel::bytes() const {
  return peers_[kClient].counters.bytes + peers_[kBackend].counters.bytes;
}

// What is known of it from the beginning.
observe::Entry Tunnel::line(std::string_view event) const {
  observe::Entry entry = make_entry(event, identity_);
  entry.status = 101;
  if (lease_) entry.server = lease_.server().name;
  if (reattach_) {
    if (!lease_) entry.server = reattach_->lost_server();
    entry.reattached = reattach_->count();
  }
  if (const tls::Engine* tls = peers_[kClient].stream->tls()) entry.tls = tls->version();
  entry.handshake_ms = handshake_ms_;
  return entry;
}

observe::Entry Tunnel::live_line(std::string_view event) const {
  observe::Entry entry = line(event);
  entry.duration_ms = std::chrono::duration<double, std::milli>(home_.loop.now() - opened_).count();
  const wire::ScanCounters& in = peers_[kClient].counters;
  const wire::ScanCounters& out = peers_[kBackend].counters;
  entry.traffic = {in.messages, out.messages, in.bytes, out.bytes};
  entry.pings = pings_;
  if (rtt_ms_ >= 0) entry.rtt_ms = rtt_ms_;
  return entry;
}

std::string Tunnel::json(std::optional<double> messages_rate,
                         std::optional<double> bytes_rate) const {
  const net::TimePoint now = home_.loop.now();
  observe::LiveSession live;
  live.opened = std::chrono::system_clock::now() -
                std::chrono::duration_cast<std::chrono::system_clock::duration>(now - opened_);
  live.idle_ms = std::chrono::duration<double, std::milli>(now - last_data_).count();
  for (const Peer& peer : peers_) live.buffered_bytes += peer.stream->held_bytes();
  if (throttle_) live.buffered_bytes += throttle_->held.size();
  live.msgs_per_s = messages_rate;
  live.bytes_per_s = bytes_rate;
  live.ending = ending_;
  std::string out;
  observe::append_session(live_line(""), live, out);
  return out;
}

}  // namespace fairlead::edge
