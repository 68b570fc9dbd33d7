// How fast a client has to send a body and to read an answer (min_body_rate, min_send_rate), and
// whether one that has ended its direction still waits.

#include "proxy/edge/exchange.h"
#include "proxy/rules/half_close.h"

namespace fairlead::edge {

// Only time in which the client is what is waited for counts.
void Exchange::judge_rates() {
  const conf::RouteTimeouts& limits = timeouts();
  const net::TimePoint now = home_.loop.now();
  const bool for_body = limits.min_body_rate && backend_ && uploading() && !answer_ &&
                        !holds_body() && !waits_for_100();
  for_body ? body_rate_.wait(now) : body_rate_.pause(now);
  if (!limits.min_send_rate) return;
  const net::Stream& client = owner_.client();
  const std::size_t held = client.held_bytes();
  if (held < held_) send_rate_.moved(held_ - held, limits.min_send_rate->per_second, now);
  held_ = held;
  client.blocked() ? send_rate_.wait(now) : send_rate_.pause(now);
}

bool Exchange::client_still_waits() const {
  rules::HalfClose client;
  client.websocket = request_->websocket;
  // Before there is a server, the body stands where it was read.
  client.request_complete =
      upload_complete() ||
      (!backend_ && upload_.probe(owner_.ahead()) == wire::BodyTransfer::State::complete);
  client.endless_answer = answer_ && endless_ && !flushing_;
  client.since_request =
      std::chrono::duration_cast<conf::Millis>(home_.loop.now() - std::max(request_->began, sent_));
  return rules::still_waits(client);
}

}  // namespace fairlead::edge
