#pragma once
// In which order the two sides of a session get their Closes when Fairlead ends it (RFC
// 6455 7.1.2): pure, a byte in a session.

#include "proxy/rules/failure.h"

namespace fairlead::rules {

// What has become of the client since the session began to end.
struct ClientEnd {
  bool answered = false;    // its Close came: it says nothing more
  bool unreadable = false;  // it broke the protocol or a limit: nothing more of it may pass
  bool gone = false;        // its TCP connection is over
};

// A session that ends although nothing is wrong with it tells the client first. The server's Close
// is kept back until the client has said all it had to say, or has had its time: what a client sent
// before it read its Close still reaches the server. Any other end tells both sides at once.
class CloseOrder {
 public:
  // The session ends by `cause`, once. Without a server nothing is kept back.
  void begin(Cause cause, bool has_server) {
    state_ = is_graceful(cause) && has_server ? State::kept : State::at_once;
  }

  // The server's Close is kept back, and the client's messages still pass.
  bool keeps_server() const { return state_ == State::kept; }

  // The server gets a Close of ours, now or later: the client's is no more than its answer to ours.
  bool client_first() const { return state_ == State::kept || state_ == State::released; }

  // True, once: the server is to be told now.
  bool release(const ClientEnd& client, bool time_is_up) {
    if (state_ != State::kept) return false;
    if (!client.answered && !client.unreadable && !client.gone && !time_is_up) return false;
    state_ = State::released;
    return true;
  }

 private:
  enum class State : std::uint8_t {
    open,      // nothing of ours ends it (yet)
    at_once,   // both are told as soon as a Close may stand in what goes to them
    kept,      // the client is told, the server is not
    released,  // the server's turn has come
  };

  State state_ = State::open;
};

}  // namespace fairlead::rules
