// Connections that get no more than a word: at max_connections, and those that give their place up
// then; and those whose client has ended its direction.

#include "proxy/edge/connection.h"

namespace fairlead::edge {
namespace {

using rules::Cause;

// How often a client that has ended its direction is looked at: no event tells of its reset.
constexpr conf::Millis kLook{5000};

}  // namespace

// Whether more than its direction has ended, as far as anybody can know.
bool Connection::still_waits() const {
  if (client_->hung_up()) return false;
  if (phase_ == Phase::exchange) return exchange_->client_still_waits();
  if (phase_ == Phase::closing) return client_->blocked();
  return phase_ == Phase::between;
}

// It is not read any more: the end would be found again and again.
void Connection::half_close() {
  half_closed_ = true;
  client_->want_read(false);
  if (phase_ != Phase::exchange) return;
  if (in_.empty()) exchange_->request().keep_alive = false;
  timer_.arm(home_.loop.now() + kLook);
}

// Without waiting for a request: who asks nothing must not hold a descriptor. TLS would take a
// handshake first, and is closed.
void Connection::turn_away() {
  if (listener().tls) {
    log_http(Cause::max_connections, 0, 0, nullptr);
    return vanish();
  }
  client_->set_handler(*this);
  answer(Cause::max_connections, nullptr, rules::kRetryUnavailable);
  if (welcome_ == Welcome::turned_away && !dead()) vanish();
}

void Connection::shed() {
  if (!in_.empty()) log_http(Cause::max_connections, 0, 0, nullptr);
  vanish();
}

// At once, not when the connection is destroyed at the turn's end: until then it would count, and
// who asks nothing would have to go for it.
void Connection::give_place_back() {
  if (!place_) return;
  --*listener().connections;
  const Place given_back = std::move(place_);
}

}  // namespace fairlead::edge
