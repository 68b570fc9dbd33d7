#pragma once
// What a stream holds back; private to it.

#include <event2/event.h>
#include <event2/event_struct.h>

#include <string>

#include "proxy/net/pipe.h"
#include "proxy/net/stream.h"

namespace fairlead::net {

// Exists while something is held back, and watches for room: an idle stream pays for reading only.
struct Stream::Pending {
  explicit Pending(Stream& stream) {
    event_assign(&writable, stream.loop_.base(), stream.fd_, EV_WRITE | EV_PERSIST, on_writable,
                 &stream);
    event_add(&writable, nullptr);
  }

  ~Pending() { event_del(&writable); }

  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  Pipe pipe;  // what is in it goes first
  std::string data;
  std::size_t sent = 0;
  event writable;
};

}  // namespace fairlead::net
