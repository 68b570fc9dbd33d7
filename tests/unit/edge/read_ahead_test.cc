#include "proxy/edge/read_ahead.h"

#include "tests/support/catch.h"

namespace fairlead::edge {

TEST_CASE("read_ahead: what is used up goes, the rest stays in its place", "[edge][read_ahead]") {
  ReadAhead in;
  CHECK(in.empty());
  in.append("");
  CHECK(in.view() == "");
  in.append("one");
  in.append("two");
  in.append("three");
  CHECK(in.size() == 11);
  const char* place = in.view().data();
  in.consume(3);
  CHECK(in.view() == "twothree");
  CHECK(in.view().data() == place + 3);  // nothing was moved
  in.append("four");
  CHECK(in.view() == "twothreefour");
  in.consume(8);
  CHECK(in.text() == "four");
  in.text().erase(0, 2);
  CHECK(in.view() == "ur");
  in.consume(2);
  CHECK(in.empty());
  CHECK(in.text().capacity() == std::string().capacity());  // an idle connection holds no buffer
}

TEST_CASE("read_ahead: what was used up does not grow for ever", "[edge][read_ahead]") {
  ReadAhead in;
  in.append("x");
  for (int i = 0; i < 100'000; ++i) {
    in.append("yx");
    in.consume(2);
  }
  CHECK(in.view() == "x");
  CHECK(in.text().capacity() < 64);
}

}  // namespace fairlead::edge
