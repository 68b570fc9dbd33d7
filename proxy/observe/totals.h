#pragma once
// All counts of the process in a few numbers, for those who watch it live.

#include <string>

#include "proxy/observe/registry.h"

namespace fairlead::observe {

// {"messages_in","messages_out","bytes_in","bytes_out","handshakes","http_requests",
// "refused":{"reason":n},"closes":{"code by":n},"results":{"result":n},"rtt_ms":{"p50","p90","p99",
// "buckets":[[le,n],...]}}. Everything since the start: differences tell what is going on. rtt_ms
// is of the clients; its buckets are not cumulative and the last one's `le` is null; the quantiles
// are null until there is one.
std::string totals_json(const CounterView& view);

}  // namespace fairlead::observe
