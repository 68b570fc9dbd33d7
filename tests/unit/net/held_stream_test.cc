#include "proxy/net/held_stream.h"

#include "tests/support/catch.h"

namespace fairlead::net {

TEST_CASE("held stream: it keeps what is written, and is blocked while it does", "[net][held]") {
  Loop loop;
  HeldStream stream(loop);
  CHECK_FALSE(stream.blocked());
  CHECK_FALSE(stream.is_open());
  CHECK(stream.write(std::string_view()));
  CHECK_FALSE(stream.blocked());
  CHECK(stream.write(std::string_view("one ")));
  CHECK(stream.write(std::string_view("two")));
  CHECK(stream.blocked());
  CHECK(stream.held_bytes() == 7);
  stream.want_read(true);
  CHECK_FALSE(stream.reading());
  loop.turn(false);
  CHECK(stream.take() == "one two");
  CHECK_FALSE(stream.blocked());
  CHECK(stream.take().empty());
  CHECK(stream.write(std::string_view("kept to the end")));
  stream.finish();
  stream.close();
}

}  // namespace fairlead::net
