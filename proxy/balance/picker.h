#pragma once
// The policies, pure: which of the candidates takes the next session. One small file a policy
// (least_connections.cc, round_robin.cc, random_two.cc, hash.cc).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "conf/config.h"

namespace fairlead::balance {

struct Candidate {
  std::uint32_t weight = 1;
  std::uint32_t sessions = 0;  // open
  bool eligible = true;        // the pool would let it have the session
  std::uint64_t id = 0;        // stable_hash of the server's name
  bool warming = false;        // came up and has not got its share yet (SlowStart); no policy's
};

// What a policy may go by, apart from the candidates.
struct Draw {
  std::optional<std::uint64_t> key{};  // stable_hash of the request's key; nothing: it has none
  std::uint64_t random = 0;            // uniform
};

inline constexpr std::size_t kNoServer = static_cast<std::size_t>(-1);

// Not thread-safe; the pool locks. Candidates always come in the pool's order.
class Picker {
 public:
  virtual ~Picker() = default;
  // Index of the chosen one, kNoServer when none is eligible.
  virtual std::size_t pick(std::span<const Candidate> candidates, const Draw& draw) = 0;
};

// least_connections: the fewest sessions per weight, the new one included (exact, in integers);
// equals take turns. round_robin: smooth weighted (as nginx), so that 5:1:1 does not send five in a
// row. random_two: the less loaded of two drawn by weight. hash: the same server for the same key.
std::unique_ptr<Picker> make_picker(conf::Backend::Balance balance);

}  // namespace fairlead::balance
