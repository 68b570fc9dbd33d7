#pragma once
// What a server did wrong, in its state (Pool::server's last_error) and, not too often, in the log.

#include <string_view>

#include "proxy/balance/pool.h"

namespace fairlead::edge {

// Connecting to it failed. Counts, and has it ejected for a while.
void tell_connect_failed(balance::Lease& lease, std::string_view why,
                         balance::Clock::time_point now);
// Its answer was not one, or did not come: the request was answered 502.
void tell_bad_answer(balance::Lease& lease, std::string_view why, balance::Clock::time_point now);

}  // namespace fairlead::edge
