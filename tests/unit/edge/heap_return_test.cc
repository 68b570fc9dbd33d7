#include "proxy/edge/heap_return.h"

#include "tests/support/catch.h"

namespace fairlead::edge {

TEST_CASE("heap: given back once after a storm, when less than half is left", "[heap]") {
  HeapReturn heap;
  CHECK_FALSE(heap.due(0));
  CHECK_FALSE(heap.due(9000));
  CHECK_FALSE(heap.due(4501));
  CHECK(heap.due(4500));
  CHECK_FALSE(heap.due(4500));
  CHECK_FALSE(heap.due(4000));
  CHECK(heap.due(2000));
  CHECK(heap.due(1000));
  CHECK(heap.due(0));
  CHECK_FALSE(heap.due(0));
  CHECK_FALSE(heap.due(3000));
  CHECK(heap.due(0));
}

TEST_CASE("heap: a coming and going of few is left alone", "[heap]") {
  HeapReturn heap;
  for (std::uint32_t open : {999U, 0U, 999U, 1U, 500U, 0U}) CHECK_FALSE(heap.due(open));
  CHECK_FALSE(heap.due(1000));
  CHECK(heap.due(0));
}

}  // namespace fairlead::edge
