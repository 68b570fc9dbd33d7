#include "proxy/edge/search.h"

#include <algorithm>

#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

using State = wire::HeadScanner::State;

constexpr wire::HeadLimits kLimits{conf::bounds::kHeadBytes, conf::bounds::kHeadFields};
// When no server can be had at the moment.
constexpr conf::Millis kPause{250};

}  // namespace

std::string Handshake::repeated(std::uint32_t n) const {
  std::string out = head;
  out.resize(out.size() - 2);  // the empty line
  return out + "Fairlead-Reattached: " + std::to_string(n) + "\r\n\r\n";
}

Search::Search(Home& home, Owner& owner)
    : home_(home),
      owner_(owner),
      dial_(home, *this),
      timer_(home.loop.timers(), *this),
      scanner_(kLimits, wire::HeadScanner::Of::answer) {}

Search::~Search() {
  cancel();
}

// The first dial comes with the next tick: what happens now may be within anybody's handler.
void Search::start(Task task) {
  task_ = std::move(task);
  over_ = false;
  refused_.clear();
  deadline_ = home_.loop.now() + task_.limits.deadline;
  next_ = home_.loop.now();
  timer_.arm(next_);
}

void Search::cancel() {
  over_ = true;
  timer_.disarm();
  dial_.cancel();
  drop_server();
}

void Search::drop_server() {
  lease_.reset();
  if (!server_) return;
  server_->close();
  stale_ = std::move(server_);
}

void Search::fail(bool differs) {
  cancel();
  owner_.not_found(differs);
}

void Search::on_timer(net::Timer&) {
  const net::TimePoint now = home_.loop.now();
  if (now >= deadline_) return fail(false);
  if (now < next_) return timer_.arm(std::min(next_, deadline_));
  if (server_) return next_server();  // it did not answer
  dial();
}

void Search::dial() {
  next_ = deadline_;
  timer_.arm(deadline_);
  std::vector<std::size_t> tried = refused_;
  if (task_.without != balance::kNoServer) tried.push_back(task_.without);
  dial_.start(task_.pool, {balance::kNoServer, task_.handshake->key}, task_.connect_timeout,
              Dial::Reuse::no, std::move(tried));
}

void Search::on_dial_failed(rules::Cause) {
  refused_.clear();
  next_ = home_.loop.now() + kPause;
  timer_.arm(std::min(next_, deadline_));
}

// Each handshake has an even share of the time that is left: one server that hangs is not the end.
void Search::on_dialed(std::unique_ptr<net::Stream> stream, balance::Lease lease, bool) {
  const net::TimePoint now = home_.loop.now();
  lease_ = std::move(lease);
  server_ = std::move(stream);
  server_->set_handler(*this);
  scanner_ = wire::HeadScanner(kLimits, wire::HeadScanner::Of::answer);
  head_.clear();
  const std::uint32_t left = std::max(task_.limits.attempts - task_.tried, 1U);
  ++task_.tried;
  next_ = now + (deadline_ - now) / left;
  timer_.arm(std::min(next_, deadline_));
  server_->want_read(true);
  if (!server_->write(task_.handshake->repeated(task_.number))) next_server();
}

void Search::next_server() {
  refused_.push_back(lease_.index());
  drop_server();
  if (task_.tried >= task_.limits.attempts) return fail(false);
  dial();
}

void Search::on_drained(net::Stream& stream) {
  if (!over_ && stream.error() != 0) next_server();
}

void Search::on_readable(net::Stream& stream) {
  if (over_ || &stream != server_.get()) return;
  std::span<char> buffer = home_.loop.relay_buffer();
  net::ReadResult got = stream.read(buffer);
  if (got.n != 0) {
    look({buffer.data(), got.n});
  } else if (got.status != net::IoStatus::ok) {
    next_server();
  }
}

void Search::look(std::string_view bytes) {
  const State state = scanner_.feed(bytes);
  if (state == State::error) return next_server();
  head_.append(bytes);
  if (state == State::more) return;
  const std::string all = std::move(head_);
  const std::size_t size = scanner_.size();
  look_at(std::string_view(all).substr(0, size), std::string_view(all).substr(size));
}

// Anything but a good 101, an interim answer too, is a refusal: another server is asked.
void Search::look_at(std::string_view bytes, std::string_view rest) {
  wire::ResponseHead answer;
  wire::RequestHead request;
  const std::string& ours = task_.handshake->head;
  if (wire::parse_response(bytes, answer) != wire::HeadError::none || answer.status != 101 ||
      wire::parse_request(ours, request) != wire::HeadError::none) {
    return next_server();
  }
  const wire::Agreed agreed = wire::check_answer(request, answer);
  if (!agreed.ok) {
    observe::log_warn("backend \"{}\": {} sent a bad 101: {}", task_.pool->name(),
                      lease_.server().name, agreed.why);
    if (agreed.servers_fault) task_.pool->failed(lease_.index(), home_.loop.now(), agreed.why);
    return next_server();
  }
  task_.pool->succeeded(lease_.index(), home_.loop.now());
  if (!task_.handshake->agrees_with(agreed)) return fail(true);
  over_ = true;
  timer_.disarm();
  server_->want_read(false);
  owner_.found(std::move(server_), std::move(lease_), rest);
}

}  // namespace fairlead::edge
