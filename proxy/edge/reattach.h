#pragma once
// on_backend_loss = "reattach": what a session keeps so that its handshake can be repeated on
// another server, and the state of being held meanwhile. Exists only where the route says so; what
// it does to the session is in tunnel_reattach.cc.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/edge/search.h"

namespace fairlead::edge {

class Tunnel;

// Whether a session with these extensions (the answer's field) can go on at a server that knows
// nothing of what was sent before: with none, and with permessage-deflate if each message of the
// client is compressed for itself, client_no_context_takeover (RFC 7692 7.1.1.2). The other way
// round it does not matter: what a fresh compressor writes never refers to what was before it. Of
// an extension we do not know nothing can be said.
bool survives_a_new_server(std::string_view extensions);

// Whether a Close of the old server with this code (0: none) is its answer to the Close 1001 that
// it got because the session moves (RFC 6455 5.5.1): 1001 as most answer, and 1000 or no code as
// some do. Any other is the server's own decision about the session.
bool answers_move(std::uint16_t code);

class Reattach final : Search::Owner, net::Stream::Handler, net::Timer::Handler {
 public:
  enum class State : std::uint8_t {
    attached,
    parting,    // the old server was told 1001: what it still says passes
    searching,  // there is none
  };

  Reattach(Home& home, Tunnel& tunnel, Handshake handshake);
  ~Reattach();

  State state() const { return state_; }

  bool held() const { return state_ != State::attached; }

  // Another handshake may be tried. Those that follow each other within the deadline are counted
  // together: a server that agrees and dies is not asked for ever.
  bool may_try() const;

  // The old server goes on speaking until it is done(): the tunnel reads `server` when asked to.
  void part(std::unique_ptr<net::Stream> server, net::TimePoint until);
  // The search begins. `old`: closed; it may be in one of its handlers. `lost` is not asked.
  void search(std::unique_ptr<net::Stream> old, const std::shared_ptr<balance::PoolServer>& lost,
              std::shared_ptr<balance::Pool> pool);
  // Parting is over: the stream that was given to part(), closed.
  std::unique_ptr<net::Stream> done();
  // Nothing more will come.
  void cancel();
  // What is not needed any more is freed; outside of all handlers.
  void tidy();
  // The client takes bytes again, or does not.
  void read_old(bool on);

  // How often the session has gone on elsewhere.
  std::uint32_t count() const { return count_; }

  // The name of the server it had, while it has none; "" before.
  std::string_view lost_server() const { return lost_ ? lost_->name : std::string_view(); }

  const Handshake& handshake() const { return handshake_; }

  rules::Cause why = rules::Cause::backend_gone;  // it has to leave its server
  bool client_closes = false;  // its Close came while it was held, and nothing else

 private:
  void found(std::unique_ptr<net::Stream> server, balance::Lease lease,
             std::string_view early) override;
  void not_found(bool differs) override;
  void on_readable(net::Stream& stream) override;
  void on_drained(net::Stream& stream) override;
  void on_timer(net::Timer& timer) override;

  Home& home_;
  Tunnel& tunnel_;
  Handshake handshake_;
  std::unique_ptr<Search> search_;
  std::unique_ptr<net::Stream> old_;
  std::unique_ptr<net::Timer> parting_;
  std::shared_ptr<balance::PoolServer> lost_;
  net::TimePoint attached_;
  std::uint32_t tried_ = 0;
  std::uint32_t count_ = 0;
  State state_ = State::attached;
};

}  // namespace fairlead::edge
