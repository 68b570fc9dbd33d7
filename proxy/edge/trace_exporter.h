#pragma once
// Sends spans to the collector, OTLP/HTTP in JSON: a POST at a time over a connection of its own,
// in the main thread. What the collector did not take is sent again after a pause, a few times;
// meanwhile the queue fills up, and workers drop.

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "conf/config.h"
#include "proxy/balance/backoff.h"
#include "proxy/edge/home.h"
#include "proxy/edge/names.h"
#include "proxy/edge/span_queue.h"
#include "proxy/net/connector.h"
#include "proxy/net/mailbox.h"
#include "proxy/wire/head_parser.h"

namespace fairlead::edge {

class TraceExporter final : net::Connector::Handler, net::Stream::Handler, net::Timer::Handler {
 public:
  // A batch that was refused so often is dropped for newer ones.
  static constexpr unsigned kAttempts = 4;

  // `mailbox` is the main thread's.
  TraceExporter(net::Loop& loop, net::Mailbox& mailbox);
  ~TraceExporter();

  // What tracers put their spans into; as long as this lives.
  SpanQueue& queue() { return queue_; }

  // From now on by these settings; what waits goes to the new collector. One whose name has no
  // address is as one that cannot be reached.
  void use(const conf::Tracing& settings, const conf::Dns& dns);
  // The last spans are there: sends them all, or gives up at `deadline`; then calls `done`, which
  // may be at once.
  void finish(net::TimePoint deadline, std::function<void()> done);

 private:
  enum class Phase : std::uint8_t { idle, connecting, answer };

  void on_connected(std::unique_ptr<net::Stream> stream) override;
  void on_connect_failed(int error_number) override;
  void on_readable(net::Stream& stream) override;
  void on_drained(net::Stream& stream) override;
  void on_timer(net::Timer& timer) override;

  void take(SpanQueue::Spans spans);
  void schedule();
  std::optional<conf::Address> collector() const;
  net::TimePoint next_try() const;
  void send();
  void make_batch();
  void on_answer(const wire::ResponseHead& answer);
  void sent();
  void failed(const std::string& why, conf::Millis retry_after = {});
  void drop_batch(observe::SpanLoss why);
  void drop_all(observe::SpanLoss why);
  void end_post();
  void settle();

  net::Loop& loop_;
  SpanQueue queue_;
  std::shared_ptr<TraceExporter*> self_ = std::make_shared<TraceExporter*>(this);  // while it lives
  conf::Tracing settings_;
  Random random_;
  Names names_;  // the collector's, where it has one
  net::Connector connector_;
  net::Timer timer_;
  std::unique_ptr<net::Stream> stream_;
  Phase phase_ = Phase::idle;
  std::deque<std::string> waiting_;
  net::TimePoint due_{};         // when what waits is to go, though it is few
  std::string body_;             // of the POST that is under way or to be repeated
  std::size_t batch_spans_ = 0;  // ... of so many spans
  std::size_t batch_bytes_ = 0;  // ... as counted by the queue
  unsigned attempts_ = 0;        // of it, that failed
  net::TimePoint not_before_{};  // the next try
  net::TimePoint deadline_{};    // of the POST under way
  balance::Backoff backoff_;
  bool away_ = false;  // said so in the log
  std::string in_;     // the answer's head
  wire::HeadScanner scanner_;
  std::function<void()> done_;  // set: finishing
  net::TimePoint give_up_{};
};

}  // namespace fairlead::edge
