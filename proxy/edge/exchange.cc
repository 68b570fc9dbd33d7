// An exchange's frame: its events, its deadlines, its endings.

#include "proxy/edge/exchange.h"

#include <algorithm>

#include "proxy/edge/complain.h"

namespace fairlead::edge {

using rules::Cause;

namespace {

// How often a client that is not read is asked after.
constexpr conf::Millis kWatch{2000};

}  // namespace

Exchange::Exchange(Home& home, Owner& owner, std::unique_ptr<Request> request)
    : home_(home),
      owner_(owner),
      request_(std::move(request)),
      busy_(home),
      binding_(*request_->route->pool),
      dial_(home, *this),
      timer_(home.loop.timers(), *this),
      upload_(request_->body, request_->body.kind),
      scanner_({conf::bounds::kHeadBytes, conf::bounds::kHeadFields},
               wire::HeadScanner::Of::answer) {}

Exchange::~Exchange() = default;

void Exchange::on_readable(net::Stream& stream) {
  if (over_ || flushing_) return;
  std::span<char> buffer = home_.loop.relay_buffer();
  net::ReadResult got = stream.read(buffer);
  std::span<char> bytes = buffer.first(got.n);
  if (!bytes.empty()) {
    heard_ = true;
    if (answer_) {
      relay_answer(bytes);
    } else {
      read_head(bytes);
    }
  }
  if (!over_ && !flushing_ && got.status != net::IoStatus::ok)
    backend_ended(got.status == net::IoStatus::eof);
}

void Exchange::on_drained(net::Stream& stream) {
  if (over_ || flushing_) return;
  if (stream.error() != 0) return backend_broke();
  sent_ = home_.loop.now();
  owner_.update_reading();
  arm();
}

void Exchange::on_client_drained() {
  if (over_) return;
  if (flushing_) return complete(Cause::done);
  if (backend_) backend_->want_read(true);
  arm();
}

// What is waited for, and what it means when it does not come. Between two parts of an answer there
// is no limit: events may be rare, and a client that goes away is noticed.
Exchange::Deadline Exchange::deadline() const {
  const conf::RouteTimeouts& limits = timeouts();
  net::Stream& client = owner_.client();
  if (client.blocked()) {
    return {std::min(client.next_look(limits.write_stall), send_rate_.due()), Cause::slow_client,
            &client};
  }
  if (flushing_ || !backend_) return {};
  if (backend_->blocked()) {
    return {backend_->next_look(limits.write_stall),
            answer_ ? Cause::slow_backend : Cause::backend_answer_timeout, backend_.get()};
  }
  if (answer_) return {};
  if (uploading() && !waits_for_100())
    return {std::min(sent_ + limits.write_stall, body_rate_.due()), Cause::body_timeout};
  return {sent_ + limits.response_head, Cause::backend_answer_timeout};
}

// A client that waits for its 100 is not slow, the server is (RFC 9110 10.1.1).
bool Exchange::waits_for_100() const {
  return !body_begun_ && !continued_ && request_->head.fields.find("Expect") != nullptr;
}

// Lazily: a deadline that moves away moves no timer.
void Exchange::arm() {
  if (over_) return;
  judge_rates();
  const net::TimePoint at = std::min(deadline().at, next_watch());
  if (at != net::TimePoint::max()) timer_.arm_by(at);
}

// A client that is not read, because of what it sent ahead or of a server that is slow to take its
// upload, is asked now and then whether it is still there.
net::TimePoint Exchange::next_watch() const {
  const net::Stream& client = owner_.client();
  const bool watched = client.reading() || client.blocked();
  return watched ? net::TimePoint::max() : home_.loop.now() + kWatch;
}

void Exchange::watch_client() {
  const net::TimePoint at = next_watch();
  if (!over_ && at != net::TimePoint::max()) timer_.arm_by(at);
}

std::uint64_t Exchange::bytes_out(bool cut_off) const {
  if (!answer_) return 0;
  const std::uint64_t passed = answer_->payload_bytes();
  if (!cut_off) return passed;
  return passed - std::min<std::uint64_t>(passed, owner_.client().undelivered_bytes());
}

void Exchange::on_timer(net::Timer&) {
  if (over_) return;
  judge_rates();
  if (!owner_.client().reading() && owner_.client().broken()) return complete(Cause::client_left);
  const Deadline due = deadline();
  const net::TimePoint now = home_.loop.now();
  bool over = due.taker != nullptr ? due.taker->stalled(timeouts().write_stall) : now >= due.at;
  over = over || (due.taker == &owner_.client() && now >= send_rate_.due());
  if (!over) return arm();
  // A client that takes nothing would not take an answer of ours either.
  if (answer_ || due.cause == Cause::slow_client) return complete(due.cause);
  if (due.cause == Cause::backend_answer_timeout) {
    detail_ = "no answer in time";
    tell_bad_answer(lease_, detail_, home_.loop.now());
  }
  refuse(due.cause);
}

void Exchange::cancel() {
  over_ = true;
  timer_.disarm();
  dial_.cancel();
  if (backend_) backend_->close();
  lease_.reset();
}

void Exchange::refuse(Cause cause) {
  cancel();
  owner_.exchange_refused(cause);
}

void Exchange::complete(Cause cause) {
  cancel();
  owner_.exchange_done(cause);
}

}  // namespace fairlead::edge
