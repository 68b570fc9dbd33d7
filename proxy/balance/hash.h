#pragma once
// The same server for the same key, on every node: weighted rendezvous hashing (highest random
// weight, Thaler and Ravishankar 1998; the weights as in Schindelhauer and Schomaker 2005) with
// bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016).
//
// Each server has a cost for the key, and the cheapest takes it. A cost depends on key, name and
// weight of that one server only: a new server takes just what it is cheapest for (its share by
// weight), one that goes gives up just its own. Unlike a ring there is no table to build, no
// virtual nodes and nothing to allocate, and the shares are exact; the price is O(servers) a pick.
//
// A server that holds more than a quarter above its fair share of the open sessions, and more than
// kFree, is passed over for the key's next cheapest.
//
// There is no secret in it: nodes must agree, and so must a node before and after a restart. So
// who chooses his key can find keys that all lead to one server. He gains what the bound allows: a
// quarter above the fair share, then the others get the rest.
//
// A request without a key goes by least-connections.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "proxy/balance/least_connections.h"
#include "proxy/balance/picker.h"

namespace fairlead::balance {

// FNV-1a with a finalizer: the same on every machine and in every version.
std::uint64_t stable_hash(std::string_view text);

class Hash final : public Picker {
 public:
  // Sessions any server may hold whatever the others hold: with a handful open in all, a fair
  // share of one or two would tear apart what belongs together.
  static constexpr std::uint32_t kFree = 16;

  std::size_t pick(std::span<const Candidate> candidates, const Draw& draw) override;

 private:
  LeastConnections without_key_;
};

}  // namespace fairlead::balance
