#include "proxy/edge/idle_pool.h"

#include "tests/support/catch.h"

namespace fairlead::edge {

TEST_CASE("idle: how long a connection waits", "[edge][idle_pool]") {
  struct Row {
    const char* value;
    int want;
  };

  const auto row = GENERATE(values<Row>({
      {"", 4000},
      {"max=100", 4000},
      {"timeout=5", 4000},
      {"timeout=5, max=100", 4000},
      {"max=100,Timeout=20", 19'000},
      {"timeout=2", 1000},
      {"timeout=1", 0},
      {"timeout=0", 0},
      {"timeout=61", 60'000},
      {"timeout=3600", 60'000},
      {"timeout=9223372036854775807", 60'000},
      {"timeout=99999999999999999999", 4000},
      {"timeout=-1", 4000},
      {"timeout=", 4000},
      {"timeout=5s", 4000},
  }));
  CAPTURE(row.value);
  CHECK(idle_time(row.value) == conf::Millis{row.want});
}

}  // namespace fairlead::edge
