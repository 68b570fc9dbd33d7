#pragma once
// A connection to a demo server: one request; then either an answer and the end, or a WebSocket
// session.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxy/demo/message.h"
#include "proxy/net/loop.h"
#include "proxy/net/socket.h"
#include "proxy/net/stream.h"
#include "proxy/wire/head_parser.h"

namespace fairlead::demo {

class Server;

class Session final : net::Stream::Handler, net::Timer::Handler {
 public:
  Session(Server& server, std::uint64_t id, net::Fd fd);

  // 1, 2, ... in the order of the handshakes.
  std::uint64_t number() const { return number_; }

  // Sends a frame of make_frame(). Not open (any more): does nothing. A client that leaves too much
  // unread is dropped.
  void send(std::string_view frame);
  // Sends Close and ends. Code 0: an empty Close (RFC 6455 5.5.1).
  void end(std::uint16_t code, std::string_view reason);

 private:
  enum class State : std::uint8_t {
    head,    // the request is coming
    open,    // messages
    ending,  // all has been said: sends the rest and waits for the client's end, discarding
    dead,    // closed, and destroyed at the turn's end
  };

  void on_readable(net::Stream& stream) override;
  void on_drained(net::Stream& stream) override;
  void on_timer(net::Timer& timer) override;

  void on_eof();
  void take(std::span<char> bytes);
  void take_head(std::span<char> bytes);
  void take_frames(std::span<char> bytes);
  void take_item(const Item& item);

  void on_request(const wire::RequestHead& request);
  void on_handshake(const wire::RequestHead& request);
  void answer_last(std::string_view answer);
  void wait_for_end();
  void leave();
  void die();

  Server& server_;
  const std::uint64_t id_;
  std::uint64_t number_ = 0;
  State state_ = State::head;
  bool eof_ = false;
  net::Stream stream_;
  net::Timer timer_;  // for the head, for a client that stalls, or for the end: as the state is
  wire::HeadScanner head_scanner_;
  std::string head_;
  MessageReader reader_;
  std::string rest_;  // of the last read: the beginning of a frame
};

}  // namespace fairlead::demo
