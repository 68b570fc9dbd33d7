#include "proxy/edge/reattach.h"

#include "proxy/edge/tunnel.h"

namespace fairlead::edge {
namespace {

constexpr std::string_view kDeflate = "permessage-deflate";
constexpr std::string_view kNoTakeover = "client_no_context_takeover";

std::string_view next_parameter(std::string_view& rest) {
  const std::size_t end = rest.find(';');
  const std::string_view one = wire::trim(rest.substr(0, end));
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return one;
}

// One extension with its parameters.
bool forgets(std::string_view extension) {
  if (next_parameter(extension) != kDeflate) return false;
  while (!extension.empty()) {
    if (next_parameter(extension) == kNoTakeover) return true;
  }
  return false;
}

}  // namespace

bool survives_a_new_server(std::string_view extensions) {
  bool survives = true;
  wire::for_each_item(extensions, [&](std::string_view one) {
    survives = forgets(one);
    return survives;
  });
  return survives;
}

bool answers_move(std::uint16_t code) {
  constexpr std::uint16_t kNormal = 1000;
  return code == 0 || code == kNormal || code == rules::failure(rules::Cause::moved).backend_code;
}

Reattach::Reattach(Home& home, Tunnel& tunnel, Handshake handshake)
    : home_(home), tunnel_(tunnel), handshake_(std::move(handshake)) {}

Reattach::~Reattach() = default;

bool Reattach::may_try() const {
  const conf::Route::Reattach& limits = tunnel_.settings().reattach;
  return tried_ < limits.attempts || home_.loop.now() >= attached_ + limits.deadline;
}

void Reattach::part(std::unique_ptr<net::Stream> server, net::TimePoint until) {
  state_ = State::parting;
  client_closes = false;
  old_ = std::move(server);
  old_->set_handler(*this);
  net::Timer::Handler& timed = *this;
  if (!parting_) parting_ = std::make_unique<net::Timer>(home_.loop.timers(), timed);
  parting_->arm(until);
}

std::unique_ptr<net::Stream> Reattach::done() {
  if (parting_) parting_->disarm();
  old_->close();
  return std::move(old_);
}

void Reattach::search(std::unique_ptr<net::Stream> old,
                      const std::shared_ptr<balance::PoolServer>& lost,
                      std::shared_ptr<balance::Pool> pool) {
  if (state_ == State::attached) client_closes = false;
  state_ = State::searching;
  old_ = std::move(old);
  lost_ = lost;
  const conf::Route& settings = tunnel_.settings();
  if (home_.loop.now() >= attached_ + settings.reattach.deadline) tried_ = 0;
  Search::Task task;
  for (std::size_t i = 0; i < pool->size(); ++i) {
    if (pool->servers()[i] == lost) task.without = i;
  }
  task.pool = std::move(pool);
  task.handshake = &handshake_;
  task.number = count_ + 1;
  task.limits = settings.reattach;
  task.tried = tried_;
  task.connect_timeout = settings.timeouts.connect;
  Search::Owner& owner = *this;
  if (!search_) search_ = std::make_unique<Search>(home_, owner);
  search_->start(std::move(task));
}

void Reattach::cancel() {
  state_ = State::attached;
  if (parting_) parting_->disarm();
  if (search_) search_->cancel();
  if (old_) old_->close();
}

void Reattach::tidy() {
  if (held()) return;
  search_.reset();
  old_.reset();
  parting_.reset();
}

void Reattach::found(std::unique_ptr<net::Stream> server, balance::Lease lease,
                     std::string_view early) {
  state_ = State::attached;
  tried_ = search_->tried();
  attached_ = home_.loop.now();
  ++count_;
  lost_.reset();
  tunnel_.attached(std::move(server), std::move(lease), std::string(early));
}

void Reattach::not_found(bool differs) {
  tunnel_.not_attached(differs);
}

void Reattach::on_readable(net::Stream& stream) {
  if (state_ == State::parting && &stream == old_.get()) tunnel_.old_server_speaks(stream);
}

void Reattach::on_drained(net::Stream& stream) {
  if (state_ == State::parting && stream.error() != 0) tunnel_.old_server_done();
}

void Reattach::on_timer(net::Timer&) {
  if (state_ == State::parting) tunnel_.old_server_done();
}

void Reattach::read_old(bool on) {
  if (state_ == State::parting) old_->want_read(on);
}

}  // namespace fairlead::edge
