#include "proxy/edge/departures.h"

#include <algorithm>
#include <utility>

#include "proxy/balance/pace.h"
#include "proxy/edge/tunnel.h"
#include "proxy/observe/log.h"

namespace fairlead::edge {

bool Departures::wanted(const DrainOrder& order, const Tunnel& session) const {
  if (session.dead() || !session.matches(order.scope)) return false;
  if (order.removal && !order.removal->concerns(session.settings())) return false;
  net::TimePoint now = home_.loop.now();
  return now >= session.idle_since() + order.min_idle && now >= session.opened() + order.min_age;
}

std::uint32_t Departures::count(const DrainOrder& order) {
  std::uint32_t n = 0;
  home_.links.for_each([&](Link& link) {
    const Tunnel* session = link.session();
    if (session != nullptr && wanted(order, *session)) ++n;
  });
  return n;
}

bool Departures::tell(const DrainOrder& order, Tunnel& session, net::TimePoint at) {
  return session.leave({.job = order.job,
                        .cause = order.cause,
                        .at = at,
                        .until = order.until ? *order.until : at + order.patience,
                        .final = order.final,
                        .min_idle = order.min_idle,
                        .count = order.count,
                        .leaves_server = order.scope.kind == Scope::Kind::server});
}

void Departures::begin(const DrainOrder& order) {
  const auto begun = net::Clock::now();
  std::vector<std::pair<net::TimePoint, Tunnel*>> chosen;
  home_.links.for_each([&](Link& link) {
    Tunnel* session = link.session();
    if (session != nullptr && wanted(order, *session))
      chosen.emplace_back(session->idle_since(), session);
  });
  std::sort(chosen.begin(), chosen.end());
  net::TimePoint now = home_.loop.now();
  std::size_t count = std::min<std::size_t>(chosen.size(), order.limit);
  const balance::Pace pace(count, order.rate, now, order.last);
  std::size_t told = 0;
  for (auto [idle_since, session] : chosen) {
    if (told == count) break;
    auto random = static_cast<std::uint32_t>(home_.random.next());
    if (tell(order, *session, pace.at(told, random))) ++told;
  }
  observe::log_debug("drain job {}: times given to {} of {} sessions in {:.2f} ms", order.job, told,
                     home_.links.size(),
                     std::chrono::duration<double, std::milli>(net::Clock::now() - begun).count());
  if (order.final) lasting_.clear();
  if (order.lasting) lasting_.push_back({order, pace.at(told, 0)});
}

void Departures::stop(std::uint32_t job) {
  std::erase_if(lasting_, [job](const Lasting& one) { return one.order.job == job; });
  home_.links.for_each([&](Link& link) {
    Tunnel* session = link.session();
    if (session != nullptr && session->stay(job)) on_session(*session);
  });
}

void Departures::on_session(Tunnel& session) {
  for (Lasting& one : lasting_) {
    if (!wanted(one.order, session)) continue;
    one.next = std::max(one.next, home_.loop.now());
    double rate = one.order.rate > 0 ? one.order.rate : balance::Pace::kAtOnce;
    if (one.order.last) one.next = std::min(one.next, *one.order.last);
    if (!tell(one.order, session, one.next)) return;
    one.next +=
        std::chrono::duration_cast<net::Clock::duration>(std::chrono::duration<double>(1 / rate));
    return;
  }
}

}  // namespace fairlead::edge
