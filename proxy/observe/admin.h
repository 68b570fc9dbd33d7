#pragma once
// The admin endpoint's requests and answers (interface: sections 8, 9), without its sockets: who
// may ask, which path does what, and the JSON. Everything a browser could be tricked into is
// refused: a Host that is a name (DNS rebinding), a foreign Origin, a write without the token.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/observe/control.h"
#include "proxy/observe/event_stream.h"
#include "proxy/wire/head.h"

namespace fairlead::observe {

// Where the endpoint listens, which tells who can reach it.
enum class AdminDoor : std::uint8_t {
  unix_socket,  // whom the file's mode allows: they may write
  loopback,     // this machine's users, and their browsers: writes need the token
  network,      // anybody: all but the health of the process needs a token
};

struct AdminAccess {
  AdminDoor door = AdminDoor::loopback;
  std::string_view token{};       // "": none is set
  std::string_view read_token{};  // may look and scrape, but not act; "": none is set
};

struct AdminAnswer;

// Where a deferred answer goes, in the main thread. The first call counts; it does nothing once the
// client is gone or has been answered 504 for the lateness.
using AdminReply = std::function<void(const AdminAnswer&)>;

struct AdminAnswer {
  int status = 200;
  std::string_view type = "application/json";
  std::string body{};
  std::string allow{};  // with 405
  // Set: a deferred answer. Called at once with where it goes, to be kept until it is known. What
  // the request consists of is not to be kept: it may be gone by then.
  std::function<void(AdminReply)> later{};
  // Set: no answer but events. Called at once unless there are too many streams.
  std::function<void(std::shared_ptr<EventStream>)> stream{};
};

AdminAnswer answer_admin(Control& control, const AdminAccess& access,
                         const wire::RequestHead& request, std::string_view body);

// {"error": "..."}
AdminAnswer admin_error(int status, std::string_view text);

// What an outcome other than done is answered with.
AdminAnswer admin_failure(const Outcome& outcome);

// A part of a path, percent-decoded; nothing where a "%" is no code.
std::optional<std::string> decoded_part(std::string_view text);

// "ready", "drain", "down"
std::string_view state_word(ServerState state);

}  // namespace fairlead::observe
