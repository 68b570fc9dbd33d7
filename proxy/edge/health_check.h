#pragma once
// One check of one server at a time: a connect; a GET and its status; or a handshake, a Ping and
// its Pong, ended with a Close. Bounded in time (conf::Health::timeout for all of it) and in bytes
// (bounds::kHealthBytes from the server).

#include <memory>
#include <string>
#include <string_view>

#include "conf/config.h"
#include "proxy/edge/home.h"
#include "proxy/net/connector.h"
#include "proxy/wire/frame_scanner.h"
#include "proxy/wire/head_parser.h"

namespace fairlead::edge {

class HealthCheck final : net::Connector::Handler, net::Stream::Handler, net::Timer::Handler {
 public:
  enum class Outcome : std::uint8_t {
    passed,
    failed,
    unknown,  // we could not ask, by our own shortage
  };

  class Handler {
   public:
    // From the loop, never from within start(). `why`: a few words, "" when passed.
    virtual void on_checked(Outcome outcome, const std::string& why) = 0;

   protected:
    ~Handler() = default;
  };

  // `settings` and `random` outlive it.
  HealthCheck(net::Loop& loop, Random& random, const conf::Health& settings, Handler& handler);

  // Begins; what is left of the check before ends. `address` is kind ip or unix_path.
  void start(const conf::Address& address);

 private:
  enum class Phase : std::uint8_t {
    idle,
    connecting,
    head,     // waits for the answer's head
    pong,     // waits for the Pong
    closing,  // it passed; waits for the server to end the connection
  };

  void on_connected(std::unique_ptr<net::Stream> stream) override;
  void on_connect_failed(int error_number) override;
  void on_readable(net::Stream& stream) override;
  void on_drained(net::Stream& stream) override;
  void on_timer(net::Timer& timer) override;

  void write_request(const conf::Address& address);
  void read_head(std::string_view bytes);
  void on_head(std::string_view bytes);
  void on_switched(const wire::ResponseHead& answer);
  void send_ping();
  void read_frames();
  bool on_frame(const wire::ScanResult& result);
  void on_pong(std::string_view payload);
  void connection_ended();

  bool websocket() const { return settings_.type == conf::Health::Type::websocket; }

  wire::Masking masking();

  void fail(const std::string& why) { conclude(Outcome::failed, why); }

  void bad_answer(const char* flaw) {
    fail(std::string("its answer is not valid HTTP/1.1: ") + flaw);
  }

  void conclude(Outcome outcome, const std::string& why);

  net::Loop& loop_;
  Random& random_;
  const conf::Health& settings_;
  Handler& handler_;
  net::Connector connector_;
  net::Timer timer_;
  net::TimePoint deadline_;
  std::unique_ptr<net::Stream> stream_;
  Phase phase_ = Phase::idle;
  std::string request_;
  std::string in_;  // read and not yet understood
  std::size_t received_ = 0;
  wire::HeadScanner scanner_;
  wire::FrameScanner frames_;
  wire::ScanCounters counters_;
  std::uint64_t nonce_ = 0;  // the Ping's payload
};

}  // namespace fairlead::edge
