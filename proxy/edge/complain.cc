#include "proxy/edge/complain.h"

#include <string>

#include "proxy/observe/log.h"

namespace fairlead::edge {
namespace {

std::string more(std::uint32_t left_out) {
  return left_out == 0 ? "" : " (" + std::to_string(left_out) + " more since the last line)";
}

}  // namespace

void tell_connect_failed(balance::Lease& lease, std::string_view why,
                         balance::Clock::time_point now) {
  balance::PoolServer& server = *lease.server_ptr();
  server.connect_failures.fetch_add(1, std::memory_order_relaxed);
  lease.pool().failed(lease.index(), now, "connecting: " + std::string(why));
  if (const auto left_out = server.connect_complaints.note(now)) {
    observe::log_warn("backend \"{}\": connecting to {} failed: {}{}", lease.pool().name(),
                      server.name, why, more(*left_out));
  }
}

void tell_bad_answer(balance::Lease& lease, std::string_view why, balance::Clock::time_point now) {
  balance::PoolServer& server = *lease.server_ptr();
  lease.pool().note_error(lease.index(), now, why);
  if (const auto left_out = server.answer_complaints.note(now)) {
    observe::log_warn("backend \"{}\": {} gave no good answer: {}{}", lease.pool().name(),
                      server.name, why, more(*left_out));
  }
}

}  // namespace fairlead::edge
