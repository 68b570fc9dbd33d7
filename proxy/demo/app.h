#pragma once
// What tells the demo's servers apart: the path they serve, and what they do with a message.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/wire/frame.h"

namespace fairlead::demo {

class Server;
class Session;

struct Traits {
  std::string_view path;    // of the handshakes that are accepted
  std::size_t max_message;  // a longer one: Close 1009
  std::size_t max_held;     // a session whose client leaves more unread is dropped
  std::string_view page;    // what GET / answers; empty: 404
};

class App {
 public:
  virtual ~App() = default;

  virtual const Traits& traits() const = 0;

  virtual void on_join(Server&, Session&) {}

  // `kind` is text, then valid UTF-8, or binary. `message` is valid during the call.
  virtual void on_message(Server&, Session&, wire::Opcode kind, std::string_view message) = 0;

  // A session, known by its number, is gone: called at the end of a turn.
  virtual void on_leave(Server&, std::uint64_t /*number*/) {}
};

}  // namespace fairlead::demo
