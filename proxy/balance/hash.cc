#include "proxy/balance/hash.h"

#include <cmath>

namespace fairlead::balance {
namespace {

// The finalizer of MurmurHash3, a bijection.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

// Exponentially distributed with the weight as its rate: of several the least belongs to each with
// a probability in proportion to its weight. Two machines' log() may differ in the last bit; that
// moves one key in 10^15.
double cost(std::uint64_t key, const Candidate& candidate) {
  const double uniform = (static_cast<double>(mix(key ^ candidate.id) >> 11) + 0.5) * 0x1p-53;
  return -std::log(uniform) / candidate.weight;
}

// Open sessions and weights of the eligible. No sum overflows 64 bits: 10,000 servers (conf), 2^32
// sessions and a weight of 1000 each.
struct Load {
  std::uint64_t sessions = 0;
  std::uint64_t weight = 0;
};

Load load_of(std::span<const Candidate> candidates) {
  Load load;
  for (const Candidate& candidate : candidates) {
    if (!candidate.eligible) continue;
    load.sessions += candidate.sessions;
    load.weight += candidate.weight;
  }
  return load;
}

// Whether with the new session it holds no more than ceil(5/4 of its fair share of all, the new one
// included): s + 1 <= ceil(x) is s < x. At least one of the eligible has room, else their sessions
// would add up to 5/4 of themselves.
bool has_room(const Candidate& candidate, const Load& load) {
  if (candidate.sessions < Hash::kFree) return true;
  // In floating point: the product of three counts may pass 64 bits.
  const double share = static_cast<double>(load.sessions + 1) *
                       static_cast<double>(candidate.weight) / static_cast<double>(load.weight);
  return static_cast<double>(candidate.sessions) < 1.25 * share;
}

}  // namespace

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return mix(hash);
}

std::size_t Hash::pick(std::span<const Candidate> candidates, const Draw& draw) {
  if (!draw.key) return without_key_.pick(candidates, draw);
  const Load load = load_of(candidates);
  std::size_t best = kNoServer;
  double least = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    if (!candidate.eligible || !has_room(candidate, load)) continue;
    const double its = cost(*draw.key, candidate);
    if (best != kNoServer && !(its < least)) continue;
    best = i;
    least = its;
  }
  return best;
}

}  // namespace fairlead::balance
