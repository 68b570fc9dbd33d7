// What a stream knows of its peer beyond the bytes.

#include <memory>

#include "proxy/net/stream.h"
#include "tests/support/catch.h"
#include "tests/support/socket_pair.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

struct Rig final : Stream::Handler {
  explicit Rig(bool tcp, int buffer = 0)
      : pair(test::make_pair(tcp, buffer)), stream(loop, pair.near) {
    stream.set_handler(*this);
  }

  ~Rig() { hang_up(); }

  void on_readable(Stream& from) override { from.read(loop.relay_buffer()); }

  void on_drained(Stream&) override {}

  void hang_up() {
    if (pair.far >= 0) ::close(std::exchange(pair.far, -1));
  }

  void reset() {
    linger hard{1, 0};
    setsockopt(pair.far, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    hang_up();
  }

  // Until the kernel, which works by itself, has come to it.
  template <class F>
  bool soon(F there) {
    for (const TimePoint end = Clock::now() + 5s; Clock::now() < end;) {
      if (there()) return true;
      loop.turn(false);
    }
    return false;
  }

  bool far_takes(std::size_t n) {
    std::string some(n, ' ');
    return recv(pair.far, some.data(), n, MSG_WAITALL) == static_cast<ssize_t>(n);
  }

  Loop loop;
  test::SocketPair pair;
  Stream stream;
};

}  // namespace

TEST_CASE("stream progress: what a peer's machine has acknowledged is delivered", "[net][stream]") {
  Rig rig(true);
  rig.stream.write(std::string(1000, 'x'));
  // Nobody has read it; its kernel has it.
  CHECK(rig.soon([&] { return rig.stream.undelivered() == 0; }));
}

TEST_CASE("stream progress: on a unix socket delivered is what was read", "[net][stream]") {
  Rig rig(false);
  rig.stream.write(std::string(1000, 'x'));
  CHECK(rig.stream.undelivered() != 0);
  CHECK(rig.stream.undelivered_bytes() == 0);  // no number of bytes is known
  REQUIRE(rig.far_takes(1000));
  CHECK(rig.stream.undelivered() == 0);
}

TEST_CASE("stream progress: bytes that a full peer has not taken are counted, its reset or not",
          "[net][stream]") {
  Rig rig(true, 16 * 1024);
  rig.stream.write(std::string(500'000, 'x'));
  CHECK(rig.stream.blocked());
  const std::size_t before = rig.stream.undelivered_bytes();
  CHECK(before > 400'000);
  CHECK(before < 500'000);
  rig.reset();
  REQUIRE(rig.soon([&] { return rig.stream.error() != 0; }));
  CHECK(rig.stream.undelivered_bytes() > 400'000);
  rig.stream.close();
  CHECK(rig.stream.undelivered_bytes() > 400'000);
}

TEST_CASE("stream progress: stalled is who takes nothing for so long", "[net][stream]") {
  Rig rig(false, 16 * 1024);
  rig.stream.write(std::string(100'000, 'x'));
  REQUIRE(rig.stream.blocked());
  CHECK(rig.stream.next_look(16s) == rig.loop.now() + 1s);
  CHECK_FALSE(rig.stream.stalled(16s));
  for (int i = 0; i < 15; ++i) {
    rig.loop.advance_clock(1s);
    CHECK_FALSE(rig.stream.stalled(16s));
  }
  REQUIRE(rig.far_takes(16 * 1024));
  rig.loop.advance_clock(1s);
  CHECK_FALSE(rig.stream.stalled(16s));
  for (int i = 0; i < 15; ++i) rig.loop.advance_clock(1s);
  CHECK_FALSE(rig.stream.stalled(16s));
  rig.loop.advance_clock(2s);
  CHECK(rig.stream.stalled(16s));
}

TEST_CASE("stream progress: a mark is taken when all before it is", "[net][stream]") {
  Rig rig(false);
  CHECK_FALSE(rig.stream.watch_delivery());  // nothing stands in front
  rig.stream.write(std::string(1000, 'x'));
  REQUIRE(rig.stream.watch_delivery());
  rig.stream.write(std::string(10, 'p'));
  rig.stream.mark_written();
  CHECK_FALSE(rig.stream.took_marked());
  REQUIRE(rig.far_takes(1000));
  CHECK_FALSE(rig.stream.took_marked());
  REQUIRE(rig.far_takes(10));
  CHECK(rig.stream.took_marked());
}

TEST_CASE("stream progress: a reset is seen without reading, an orderly end is none",
          "[net][stream]") {
  const bool reset = GENERATE(true, false);
  Rig rig(true);
  CHECK_FALSE(rig.stream.broken());
  CHECK_FALSE(rig.stream.has_unread());
  REQUIRE(::send(rig.pair.far, "unread", 6, 0) == 6);
  REQUIRE(rig.soon([&] { return rig.stream.has_unread(); }));
  reset ? rig.reset() : rig.hang_up();
  if (reset) {
    CHECK(rig.soon([&] { return rig.stream.broken(); }));
  } else {
    CHECK_FALSE(rig.stream.broken());
  }
}

TEST_CASE("stream progress: a read takes no more than it may", "[net][stream]") {
  Rig rig(false);
  REQUIRE(::send(rig.pair.far, "0123456789", 10, 0) == 10);
  const ReadResult got = rig.stream.read(rig.loop.relay_buffer(), 4);
  CHECK(got.n == 4);
  CHECK(rig.stream.read(rig.loop.relay_buffer()).n == 6);
}

}  // namespace fairlead::net
