#include "proxy/edge/idle_pool.h"

#include <sys/socket.h>

#include <array>

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

TEST_CASE("idle: no more are kept than there may be, whichever server they are to",
          "[edge][idle_pool]") {
  net::Loop loop;
  IdlePool pool(loop, 2);
  const auto server = std::make_shared<balance::PoolServer>();
  const auto other = std::make_shared<balance::PoolServer>();
  std::vector<net::Fd> ends;
  const auto put = [&](const std::shared_ptr<balance::PoolServer>& to) {
    std::array<int, 2> pair{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()) == 0);
    ends.emplace_back(pair[1]);
    auto stream = std::make_unique<net::Stream>(loop, pair[0]);
    stream->want_read(true);
    return pool.put(to, stream, conf::Millis{4000});
  };
  CHECK(put(server));
  CHECK(put(other));
  CHECK_FALSE(put(server));
  CHECK(pool.take(*other, false) != nullptr);
  CHECK(put(server));
  CHECK_FALSE(put(other));
  // One that its server has ended makes room, and so do those that have waited their time.
  ends.front().reset();
  loop.turn(false);
  CHECK(put(server));
  loop.advance_clock(conf::Millis{5000});
  loop.turn(false);
  CHECK(pool.size() == 0);
  CHECK(put(other));
  CHECK(put(other));
  CHECK_FALSE(put(other));
}

}  // namespace fairlead::edge
