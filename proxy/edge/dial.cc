#include "proxy/edge/dial.h"

#include <cerrno>

#include "proxy/edge/complain.h"
#include "proxy/net/connect_fault.h"
#include "proxy/net/socket.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

using net::ConnectFault;
using rules::Cause;

// What it is called when no other server can be had.
Cause cause_of(ConnectFault fault, int error_number) {
  switch (fault) {
    case ConnectFault::ports:
      return Cause::out_of_ports;
    case ConnectFault::memory:
      return Cause::out_of_memory;
    case ConnectFault::descriptors:
      return Cause::out_of_file_descriptors;
    case ConnectFault::server:
    case ConnectFault::busy:
      break;
  }
  return error_number == ETIMEDOUT ? Cause::backend_connect_timeout : Cause::backend_unreachable;
}

}  // namespace

void Dial::start(std::shared_ptr<balance::Pool> pool, const balance::Preference& preference,
                 conf::Millis connect_timeout, Reuse reuse, std::vector<std::size_t> tried) {
  pool_ = std::move(pool);
  preference_ = preference;
  connect_timeout_ = connect_timeout;
  reuse_ = reuse;
  failure_.clear();
  last_try_ = home_.loop.now() + kTryFor * connect_timeout;
  tried_ = std::move(tried);
  try_next(rules::Cause::no_server);
}

void Dial::cancel() {
  connector_.cancel();
  lease_.reset();
}

void Dial::try_next(rules::Cause if_none) {
  net::TimePoint now = home_.loop.now();
  lease_ = now < last_try_ ? pool_->pick(preference_, tried_, now) : balance::Lease();
  if (!lease_) {
    const bool full = if_none == rules::Cause::no_server && lease_.full();
    return handler_.on_dial_failed(full ? rules::Cause::server_full : if_none);
  }
  if (auto idle = take_idle()) return handler_.on_dialed(std::move(idle), std::move(lease_), true);
  connecting_ = now;
  connector_.start(lease_.server().address, now + connect_timeout_);
}

std::unique_ptr<net::Stream> Dial::take_idle() {
  if (pinned_ != nullptr) {
    if (auto own = pinned_->take(lease_.server(), home_.loop)) return own;
  }
  if (reuse_ == Reuse::no || home_.idle == nullptr) return nullptr;
  return home_.idle->take(lease_.server(), reuse_ == Reuse::probed);
}

void Dial::on_connected(std::unique_ptr<net::Stream> stream) {
  home_.counters->connect.add(
      std::chrono::duration<double>(home_.loop.now() - connecting_).count());
  handler_.on_dialed(std::move(stream), std::move(lease_), false);
}

void Dial::on_connect_failed(int error_number) {
  const ConnectFault fault = net::connect_fault(error_number);
  const Cause cause = cause_of(fault, error_number);
  failed_server_ = lease_.server().name;
  failure_ = net::error_text(error_number);
  if (fault == ConnectFault::server) {
    tell_connect_failed(lease_, failure_, home_.loop.now());
  } else {
    tell(cause, error_number);
  }
  if (fault == ConnectFault::memory || fault == ConnectFault::descriptors) {
    lease_.reset();
    return handler_.on_dial_failed(cause);
  }
  tried_.push_back(lease_.index());
  try_next(cause);
}

void Dial::tell(Cause cause, int error_number) {
  const std::string line =
      home_.shortages.line(home_.loop.now(), pool_->name(), failed_server_,
                           rules::failure(cause).word, net::error_text(error_number));
  if (!line.empty()) observe::log_warn("{}", line);
}

}  // namespace fairlead::edge
