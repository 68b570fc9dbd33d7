#pragma once
// Server-sent events towards one client of the admin endpoint (HTML 9.2).

#include <functional>
#include <string>
#include <string_view>

namespace fairlead::observe {

// A client's stream. Main thread only; it may outlive its connection.
class EventStream {
 public:
  virtual ~EventStream() = default;

  // An event as of event_text(). One a slow client has no room for is lost, and the next it takes
  // is preceded by an event "lost" with the count. False: the client is gone.
  virtual bool send(std::string_view event) = 0;
  // Called once, from the loop, when the client is gone or the process drains.
  virtual void on_end(std::function<void()> call) = 0;
  // Ends it: the client gets what was sent, then the connection's end.
  virtual void end() = 0;
};

// `data` is one line, such as JSON.
inline std::string event_text(std::string_view name, std::string_view data) {
  std::string out;
  out.reserve(name.size() + data.size() + 16);
  out.append("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
  return out;
}

}  // namespace fairlead::observe
