#include "proxy/balance/random_two.h"

#include <cstdint>

namespace fairlead::balance {
namespace {

// One of the eligible but `without`, by weight; kNoServer: there is none. `random` is uniform; the
// weights' sum is far below 2^32, so no weight is favoured noticeably.
std::size_t draw_one(std::span<const Candidate> candidates, std::size_t without,
                     std::uint32_t random) {
  const auto may = [&](std::size_t i) { return candidates[i].eligible && i != without; };
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) total += may(i) ? candidates[i].weight : 0;
  std::uint64_t left = (total * random) >> 32;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!may(i)) continue;
    if (left < candidates[i].weight) return i;
    left -= candidates[i].weight;
  }
  return kNoServer;
}

}  // namespace

std::size_t RandomTwo::pick(std::span<const Candidate> candidates, const Draw& draw) {
  const auto first = draw_one(candidates, kNoServer, static_cast<std::uint32_t>(draw.random >> 32));
  const auto second = draw_one(candidates, first, static_cast<std::uint32_t>(draw.random));
  if (second == kNoServer) return first;
  const Candidate& a = candidates[first];
  const Candidate& b = candidates[second];
  // Equals: the first. Were the new session counted (as least-connections does), sessions that end
  // at once would all go to the greater weight.
  return std::uint64_t{b.sessions} * a.weight < std::uint64_t{a.sessions} * b.weight ? second
                                                                                     : first;
}

}  // namespace fairlead::balance
