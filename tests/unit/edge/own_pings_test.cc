#include "proxy/edge/own_pings.h"

#include <string>

#include "tests/support/catch.h"

namespace fairlead::edge {

using Pong = OwnPings::Pong;

TEST_CASE("own pings: each Pong to each of them is ours, however late", "[edge][ping]") {
  const std::uint64_t random = GENERATE(std::uint64_t{0}, std::uint64_t{0x123456789abcfffe},
                                        UINT64_MAX, std::uint64_t{0xffff});
  OwnPings pings;
  std::vector<OwnPings::Payload> sent;
  for (int i = 0; i < 70'000; ++i) {
    sent.push_back(pings.next(random + static_cast<std::uint64_t>(i)));
    if (i % 1000 > 2) continue;
    CHECK(pings.any());
    CHECK(pings.classify(sent.back()) == Pong::last);
    if (i > 0) CHECK(pings.classify(sent[sent.size() - 2]) == Pong::late);
    if (i > 7) CHECK(pings.classify(sent[sent.size() - 8]) == Pong::late);
  }
}

TEST_CASE("own pings: everything else is the application's", "[edge][ping]") {
  OwnPings pings;
  const OwnPings::Payload nothing{};
  CHECK_FALSE(pings.any());
  CHECK(pings.classify(nothing) == Pong::foreign);
  CHECK(pings.classify({}) == Pong::foreign);
  OwnPings other;
  const OwnPings::Payload foreign = other.next(0x5555555555555555);
  const OwnPings::Payload ours = pings.next(0xaaaaaaaaaaaaaaaa);
  CHECK(pings.classify(foreign) == Pong::foreign);
  CHECK(pings.classify(nothing) == Pong::foreign);
  CHECK(pings.classify({}) == Pong::foreign);
  CHECK(pings.classify(std::span(ours).first(7)) == Pong::foreign);
  const std::string longer = std::string(ours.data(), ours.size()) + "x";
  CHECK(pings.classify(longer) == Pong::foreign);
}

}  // namespace fairlead::edge
