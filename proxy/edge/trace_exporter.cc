#include "proxy/edge/trace_exporter.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "conf/units.h"
#include "proxy/observe/log.h"
#include "proxy/observe/span.h"
#include "proxy/wire/head_writer.h"

namespace fairlead::edge {
namespace {

using observe::SpanLoss;

constexpr wire::HeadLimits kLimits{conf::bounds::kHeadBytes, conf::bounds::kHeadFields};
constexpr conf::Millis kMostRetryAfter{60'000};

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

// In seconds; a date is not worth the effort.
conf::Millis retry_after(const wire::ResponseHead& answer) {
  const std::string_view text = answer.fields.get("Retry-After");
  unsigned seconds = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || rest != text.data() + text.size()) return {};
  return std::min<conf::Millis>(std::chrono::seconds(std::min(seconds, 3600U)), kMostRetryAfter);
}

// OTLP/HTTP, "Retryable Response Codes".
bool is_retryable(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

TraceExporter::TraceExporter(net::Loop& loop, net::Mailbox& mailbox)
    : loop_(loop),
      names_(loop, [this] { schedule(); }),
      connector_(loop, *this),
      timer_(loop.timers(), *this),
      scanner_(kLimits, wire::HeadScanner::Of::answer) {
  queue_.deliver_to([&mailbox, self = std::weak_ptr(self_)](SpanQueue::Spans spans) {
    // std::function wants what can be copied.
    auto packed = std::make_shared<SpanQueue::Spans>(std::move(spans));
    mailbox.post([self, packed] {
      if (const auto exporter = self.lock()) (*exporter)->take(std::move(*packed));
    });
  });
}

TraceExporter::~TraceExporter() = default;

void TraceExporter::use(const conf::Tracing& settings, const conf::Dns& dns) {
  const bool same = settings_.endpoint == settings.endpoint;
  settings_ = settings;
  queue_.set_limit(settings_.endpoint ? settings_.queue : 0);
  std::vector<conf::Address> names;
  if (settings_.endpoint && settings_.endpoint->address.is_named())
    names.push_back(settings_.endpoint->address);
  names_.follow(dns, names);
  if (!settings_.endpoint) return drop_all(SpanLoss::off);
  if (same) return schedule();
  if (phase_ != Phase::idle) end_post();
  backoff_.succeeded();
  not_before_ = {};
  away_ = false;
  schedule();
}

void TraceExporter::take(SpanQueue::Spans spans) {
  if (waiting_.empty()) due_ = loop_.now() + settings_.interval;
  for (std::string& span : spans) waiting_.push_back(std::move(span));
  if (!settings_.endpoint) return drop_all(SpanLoss::off);
  schedule();
}

// The timer sends: never from within a handler of the connection before.
void TraceExporter::schedule() {
  if (phase_ != Phase::idle || !settings_.endpoint) return;
  if (body_.empty() && waiting_.empty()) return settle();
  if (!names_.settled()) {
    if (done_) timer_.arm(give_up_);
    return;
  }
  timer_.arm(done_ ? std::min(next_try(), give_up_) : next_try());
}

net::TimePoint TraceExporter::next_try() const {
  const bool wait = body_.empty() && waiting_.size() < settings_.batch && !done_;
  return std::max(wait ? due_ : net::TimePoint{}, not_before_);
}

void TraceExporter::make_batch() {
  observe::SpanSource source;
  const std::string host = host_name();
  source.service_name = settings_.service_name;
  source.version = FAIRLEAD_VERSION;
  source.host = host;
  source.pid = static_cast<std::uint64_t>(getpid());
  body_ = observe::spans_begin(source);
  attempts_ = 0;
  while (!waiting_.empty() && batch_spans_ < settings_.batch) {
    const std::string& span = waiting_.front();
    if (batch_spans_ != 0 && batch_bytes_ + span.size() > conf::bounds::kSpanPostBytes) break;
    if (batch_spans_ != 0) body_ += ',';
    body_ += span;
    ++batch_spans_;
    batch_bytes_ += span.size();
    waiting_.pop_front();
  }
  body_ += observe::kSpansEnd;
  due_ = loop_.now() + settings_.interval;  // of those that are left
}

void TraceExporter::send() {
  if (body_.empty()) make_batch();
  stream_.reset();
  scanner_ = wire::HeadScanner(kLimits, wire::HeadScanner::Of::answer);
  in_.clear();
  deadline_ = loop_.now() + settings_.timeout;
  if (done_) deadline_ = std::min(deadline_, give_up_);
  phase_ = Phase::connecting;
  const auto address = collector();
  if (!address) return failed("its name has no address");
  connector_.start(*address, deadline_);
}

// Nothing: its name cannot be resolved. Of several addresses each try takes the next.
std::optional<conf::Address> TraceExporter::collector() const {
  const conf::Address& written = settings_.endpoint->address;
  if (!written.is_named()) return written;
  const balance::Endpoints* found = names_.find(written);
  if (found == nullptr || found->empty()) return std::nullopt;
  const conf::Ip ip = (*found)[attempts_ % found->size()].ip;
  return conf::Address{conf::Address::Kind::ip, ip, "", written.port};
}

void TraceExporter::on_connect_failed(int error_number) {
  failed("connecting: " + net::error_text(error_number));
}

void TraceExporter::on_connected(std::unique_ptr<net::Stream> stream) {
  stream_ = std::move(stream);
  stream_->set_handler(*this);
  phase_ = Phase::answer;
  timer_.arm(deadline_);
  stream_->want_read(true);
  std::string out;
  wire::HeadWriter head(out);
  head.request_line("POST", settings_.endpoint->path).field("Host", settings_.endpoint->host);
  head.field("User-Agent", "Fairlead/" FAIRLEAD_VERSION).field("Content-Type", "application/json");
  head.field("Content-Length", std::to_string(body_.size())).field("Connection", "close");
  head.end();
  if (!stream_->write(out) || !stream_->write(body_)) failed("the connection was lost");
}

void TraceExporter::on_readable(net::Stream& stream) {
  const std::span<char> buffer = loop_.relay_buffer();
  const net::ReadResult got = stream.read(buffer);
  const std::string_view bytes(buffer.data(), got.n);
  const auto state = scanner_.feed(bytes);
  in_.append(bytes);
  if (state == wire::HeadScanner::State::error) return failed("its answer is not valid HTTP/1.1");
  if (state == wire::HeadScanner::State::complete) {
    wire::ResponseHead answer;
    const auto error = wire::parse_response({in_.data(), scanner_.size()}, answer);
    if (error != wire::HeadError::none || answer.status < 200)
      return failed("its answer is not valid HTTP/1.1");
    return on_answer(answer);
  }
  if (got.status != net::IoStatus::ok) failed("the connection ended without an answer");
}

void TraceExporter::on_drained(net::Stream& stream) {
  if (stream.error() != 0) failed("the connection was lost");
}

// The body, if there is one, says nothing that would be acted on.
void TraceExporter::on_answer(const wire::ResponseHead& answer) {
  if (answer.status < 300) return sent();
  const std::string why = "it answered " + std::to_string(answer.status);
  if (is_retryable(answer.status)) return failed(why, retry_after(answer));
  if (!std::exchange(away_, true)) {
    observe::log_warn("tracing: {} does not take spans: {}", settings_.endpoint->host, why);
  }
  end_post();
  drop_batch(SpanLoss::rejected);
  schedule();
}

void TraceExporter::sent() {
  end_post();
  backoff_.succeeded();
  not_before_ = {};
  if (std::exchange(away_, false))
    observe::log_info("tracing: {} takes spans again", settings_.endpoint->host);
  queue_.sent(batch_spans_);
  queue_.leave(std::exchange(batch_spans_, 0), std::exchange(batch_bytes_, 0));
  body_ = {};
  schedule();
}

void TraceExporter::failed(const std::string& why, conf::Millis retry_after) {
  end_post();
  if (!std::exchange(away_, true)) {
    observe::log_warn("tracing: {}: {}; spans are kept for a while, then dropped",
                      settings_.endpoint->host, why);
  }
  const net::TimePoint now = loop_.now();
  backoff_.failed(now, static_cast<std::uint32_t>(random_.next()));
  not_before_ = std::max(backoff_.until(), now + retry_after);
  if (++attempts_ >= kAttempts) drop_batch(SpanLoss::unreachable);
  schedule();
}

// From here on the timer is disarmed, too: it must not send what nobody waits for any more.
void TraceExporter::end_post() {
  phase_ = Phase::idle;
  connector_.cancel();
  timer_.disarm();
  if (stream_) stream_->close();  // destroyed when the next begins: this may be its handler
}

void TraceExporter::drop_batch(SpanLoss why) {
  queue_.lost(why, batch_spans_);
  queue_.leave(std::exchange(batch_spans_, 0), std::exchange(batch_bytes_, 0));
  body_ = {};
}

void TraceExporter::drop_all(SpanLoss why) {
  end_post();
  drop_batch(why);
  std::size_t bytes = 0;
  for (const std::string& span : waiting_) bytes += span.size();
  queue_.lost(why, waiting_.size());
  queue_.leave(waiting_.size(), bytes);
  waiting_.clear();
  settle();
}

void TraceExporter::finish(net::TimePoint deadline, std::function<void()> done) {
  give_up_ = deadline;
  done_ = std::move(done);
  if (!settings_.endpoint) return drop_all(SpanLoss::off);
  if (phase_ == Phase::idle) return schedule();
  deadline_ = std::min(deadline_, deadline);
  timer_.arm(deadline_);
}

void TraceExporter::settle() {
  if (done_ && phase_ == Phase::idle && waiting_.empty() && body_.empty())
    std::exchange(done_, nullptr)();
}

void TraceExporter::on_timer(net::Timer&) {
  const net::TimePoint now = loop_.now();
  if (done_ && now >= give_up_) return drop_all(SpanLoss::stopped);
  if (!settings_.endpoint) return drop_all(SpanLoss::off);
  if (phase_ != Phase::idle) {
    if (now < deadline_) return timer_.arm(deadline_);
    return failed("no answer within " + conf::duration_text(settings_.timeout));
  }
  if (now < next_try()) return schedule();
  send();
}

}  // namespace fairlead::edge
