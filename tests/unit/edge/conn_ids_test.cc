#include "proxy/edge/conn_ids.h"

#include <set>

#include "tests/support/catch.h"

namespace fairlead::edge {

TEST_CASE("conn ids: tag, worker and count have their places", "[edge][conn_ids]") {
  ConnIds ids(0xabcdef, 7);
  CHECK(ids.next() == 0xabcdef0700000001ULL);
  CHECK(ids.next() == 0xabcdef0700000002ULL);
  CHECK(ConnIds::worker_of(0xabcdef0700000002ULL) == 7);
}

TEST_CASE("conn ids: a count used up never reaches the worker's number", "[edge][conn_ids]") {
  for (const std::uint32_t tag : {0x123456U, 0xffffffU}) {
    CAPTURE(tag);
    ConnIds ids(tag, 255, 0xfffffffeU);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 4; ++i) {
      const std::uint64_t id = ids.next();
      CHECK(ConnIds::worker_of(id) == 255);
      CHECK(id != 0);
      CHECK(seen.insert(id).second);
    }
    CHECK(ids.next() == ((std::uint64_t{tag} + 1) % 0x1000000 << 40 | 255ULL << 32 | 3));
  }
}

}  // namespace fairlead::edge
