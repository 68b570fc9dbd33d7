#pragma once
// Somebody looks at a session's frames. While that is so, this stands between the session's streams
// and the session as their handler: a session nobody looks at has not a branch more for it.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proxy/net/stream.h"
#include "proxy/observe/tap.h"
#include "proxy/rules/token_bucket.h"
#include "proxy/wire/frame_tap.h"

namespace fairlead::edge {

class Tunnel;

// What the looker's thread gets at a time.
struct TapBatch {
  std::vector<observe::TapFrame> frames;
  std::uint64_t dropped = 0;  // before these: too many came in a second, or went too slowly
  std::string ended;          // the session has: the log's reason
};

// What the two threads share.
struct TapLink {
  static constexpr unsigned kMost = 8;

  std::size_t bytes = 0;               // of each payload
  std::atomic<bool> wanted{true};      // false: nobody looks any more
  std::atomic<unsigned> under_way{0};  // batches that were not looked at yet, at most kMost
  // From the session's thread: to the looker's.
  std::function<void(TapBatch)> deliver;
};

class SessionTap final : public net::Stream::Handler, net::Timer::Handler {
 public:
  static constexpr conf::Millis kGather{50};  // how long a frame waits for others
  static constexpr std::size_t kBatch = 64;

  SessionTap(net::Loop& loop, std::shared_ptr<TapLink> link);

  // The session's two streams are at so many bytes before a frame's end.
  void begin(Tunnel& tunnel, std::uint64_t client_skip, std::uint64_t backend_skip);

  // The backend's stream is another one now.
  void begin_backend() { taps_[1] = wire::FrameTap(0, link_->bytes); }

  void see(bool from_client, std::span<const char> bytes);
  // With the log's reason.
  void end(std::string_view reason);

  bool wanted() const { return link_->wanted.load(std::memory_order_relaxed); }

 private:
  void on_readable(net::Stream& stream) override;
  void on_drained(net::Stream& stream) override;
  void on_timer(net::Timer& timer) override;
  void take(bool from_client, const wire::FrameHeader& header, std::string_view bytes);
  void flush();

  net::Loop& loop_;
  std::shared_ptr<TapLink> link_;
  Tunnel* tunnel_ = nullptr;
  std::array<wire::FrameTap, 2> taps_;  // client's, backend's
  rules::TokenBucket rate_;
  std::chrono::system_clock::duration wall_;  // what makes the loop's time the wall's
  TapBatch batch_;
  net::Timer timer_;
};

}  // namespace fairlead::edge
