#pragma once
// Whether a client that has ended its direction (a FIN, or close_notify of TLS) still waits for its
// answer. TCP has the same FIN for "that was my request" and for "I am gone"; a client that does
// the first does it at once.

#include "conf/config.h"

namespace fairlead::rules {

struct HalfClose {
  bool websocket = false;         // a handshake: a session needs both directions
  bool request_complete = false;  // the body, too
  bool endless_answer = false;    // one without a length is being sent: an event stream, mostly
  conf::Millis since_request{0};  // how long ago the request came
};

// A FIN that comes later than this after the request is that of a client which gave up.
constexpr conf::Millis kHalfCloseWithin{2000};

constexpr bool still_waits(const HalfClose& client) {
  return !client.websocket && client.request_complete && !client.endless_answer &&
         client.since_request <= kHalfCloseWithin;
}

}  // namespace fairlead::rules
