#pragma once
// What of a request balance = "hash" goes by.

#include <cstdint>
#include <optional>

#include "conf/config.h"
#include "conf/ip.h"
#include "proxy/wire/head.h"

namespace fairlead::balance {

// stable_hash of the key; nothing for a request without it, or with an empty one.
//  - client_ip: `client` (null: it has no address, as over a unix socket). IPv6 by its /64: the
//    rest changes daily with privacy extensions.
//  - header: the first field's value. "Host" is the one that routes, an absolute-form target's too.
//  - cookie, query: the first of the name, as it came: nothing is decoded.
//  - path: without the query, as it came and before strip_prefix.
std::optional<std::uint64_t> hash_key(const conf::HashKey& key, const wire::RequestHead& head,
                                      const conf::Ip* client);

}  // namespace fairlead::balance
