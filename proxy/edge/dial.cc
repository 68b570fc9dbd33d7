#include "proxy/edge/dial.h"

#include <cerrno>

#include "proxy/net/socket.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {

void Dial::start(std::shared_ptr<balance::Pool> pool, const balance::Preference& preference,
                 conf::Millis connect_timeout, Reuse reuse, std::vector<std::size_t> tried) {
  pool_ = std::move(pool);
  preference_ = preference;
  connect_timeout_ = connect_timeout;
  reuse_ = reuse;
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
  if (reuse_ == Reuse::no || home_.idle == nullptr) return nullptr;
  return home_.idle->take(lease_.server(), reuse_ == Reuse::probed);
}

void Dial::on_connected(std::unique_ptr<net::Stream> stream) {
  home_.counters->connect.add(
      std::chrono::duration<double>(home_.loop.now() - connecting_).count());
  handler_.on_dialed(std::move(stream), std::move(lease_), false);
}

void Dial::on_connect_failed(int error_number) {
  if (net::is_our_shortage(error_number)) {
    lease_.reset();
    return handler_.on_dial_failed(rules::Cause::out_of_file_descriptors);
  }
  observe::log_warn("backend \"{}\": connecting to {} failed: {}", pool_->name(),
                    lease_.server().name, net::error_text(error_number));
  pool_->failed(lease_.index(), home_.loop.now());
  tried_.push_back(lease_.index());
  try_next(error_number == ETIMEDOUT ? rules::Cause::backend_connect_timeout
                                     : rules::Cause::backend_unreachable);
}

}  // namespace fairlead::edge
