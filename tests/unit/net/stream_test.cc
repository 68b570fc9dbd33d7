#include "proxy/net/stream.h"

#include <functional>

#include "tests/support/catch.h"
#include "tests/support/socket_pair.h"

namespace fairlead::net {
namespace {

struct Reader final : Stream::Handler {
  explicit Reader(Loop& of) : loop(of) {}

  void on_readable(Stream& stream) override {
    ++reads;
    last = stream.read(loop.relay_buffer());
    got.append(loop.relay_buffer().data(), last.n);
    if (last.status != IoStatus::ok) stream.want_read(false);
    if (then) then(stream);
  }

  void on_drained(Stream& stream) override {
    ++drained;
    if (on_drain) on_drain(stream);
  }

  Loop& loop;
  std::string got;
  ReadResult last;
  int reads = 0;
  int drained = 0;
  std::function<void(Stream&)> then;
  std::function<void(Stream&)> on_drain;
};

struct Rig {
  explicit Rig(int buffer = 0)
      : pair(test::make_pair(false, buffer)), stream(loop, pair.near), reader(loop) {
    stream.set_handler(reader);
  }

  ~Rig() {
    if (pair.far >= 0) ::close(pair.far);
  }

  std::string far_read(std::size_t most = 1 << 20) {
    std::string all(most, '\0');
    std::size_t n = 0;
    while (n < most) {
      ssize_t got = recv(pair.far, all.data() + n, most - n, 0);
      if (got <= 0) break;
      n += static_cast<std::size_t>(got);
    }
    all.resize(n);
    return all;
  }

  bool far_at_end() {
    char byte = 0;
    return recv(pair.far, &byte, 1, 0) == 0;
  }

  void close_far() { ::close(std::exchange(pair.far, -1)); }

  Loop loop;
  test::SocketPair pair;
  Stream stream;
  Reader reader;
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 >> 3);
  return text;
}

}  // namespace

TEST_CASE("stream: nothing is read before it is wanted", "[net][stream]") {
  Rig rig;
  send(rig.pair.far, "hello", 5, 0);
  rig.loop.turn(false);
  CHECK(rig.reader.reads == 0);
  rig.stream.want_read(true);
  rig.loop.turn(false);
  CHECK(rig.reader.got == "hello");
  rig.stream.want_read(false);
  send(rig.pair.far, "more", 4, 0);
  rig.loop.turn(false);
  CHECK(rig.reader.got == "hello");
  rig.stream.want_read(true);
  rig.stream.want_read(true);
  rig.loop.turn(false);
  CHECK(rig.reader.got == "hellomore");
}

TEST_CASE("stream: pause and resume within one turn lose nothing", "[net][stream]") {
  Rig rig;
  rig.stream.want_read(true);
  for (int i = 0; i < 20; ++i) {
    rig.stream.want_read(i % 2 == 0);
    rig.stream.want_read(i % 3 == 0);
    rig.stream.want_read(true);
    send(rig.pair.far, "x", 1, 0);
    rig.loop.turn(false);
    REQUIRE(rig.reader.got.size() == static_cast<std::size_t>(i + 1));
  }
}

TEST_CASE("stream: a read with nothing there is ok and empty", "[net][stream]") {
  Rig rig;
  ReadResult result = rig.stream.read(rig.loop.relay_buffer());
  CHECK(result.n == 0);
  CHECK(result.status == IoStatus::ok);
}

TEST_CASE("stream: what the peer takes at once leaves no buffer behind", "[net][stream]") {
  Rig rig;
  CHECK(rig.stream.write(std::string_view("hello")));
  CHECK_FALSE(rig.stream.blocked());
  CHECK(rig.stream.held_bytes() == 0);
  CHECK(rig.far_read() == "hello");
  rig.loop.turn(false);
  CHECK(rig.reader.drained == 0);
}

TEST_CASE("stream: what it does not take is sent later, once and in order", "[net][stream]") {
  Rig rig(4096);
  const std::string all = pattern(100'000);
  CHECK(rig.stream.write(std::string_view(all).substr(0, 60'000)));
  REQUIRE(rig.stream.blocked());
  std::size_t held = rig.stream.held_bytes();
  CHECK(held > 0);
  CHECK(held < 60'000);
  CHECK(rig.stream.write(std::string_view(all).substr(60'000)));
  CHECK(rig.stream.held_bytes() == held + 40'000);
  std::string got;
  while (rig.stream.blocked()) {
    REQUIRE(rig.reader.drained == 0);
    got += rig.far_read();
    rig.loop.turn(false);
  }
  got += rig.far_read();
  CHECK(rig.reader.drained == 1);
  CHECK(got == all);
  CHECK(rig.stream.held_bytes() == 0);
}

TEST_CASE("stream: who takes some of what is held back is not stalled", "[net][stream]") {
  using namespace std::chrono_literals;
  Rig rig(4096);
  CHECK(rig.stream.write(pattern(60'000)));
  CHECK_FALSE(rig.stream.stalled(5s));
  rig.loop.advance_clock(4s);
  rig.loop.turn(false);
  CHECK_FALSE(rig.stream.stalled(5s));
  rig.far_read();
  rig.loop.turn(false);
  REQUIRE(rig.stream.blocked());
  rig.loop.advance_clock(4s);
  CHECK_FALSE(rig.stream.stalled(5s));
  rig.loop.advance_clock(5s);
  CHECK(rig.stream.stalled(5s));
}

TEST_CASE("stream: drained may write more, and is called again", "[net][stream]") {
  Rig rig(4096);
  int more = 3;
  rig.reader.on_drain = [&](Stream& stream) {
    if (more-- > 0) CHECK(stream.write(pattern(20'000)));
  };
  CHECK(rig.stream.write(pattern(20'000)));
  std::size_t got = 0;
  for (int i = 0; i < 200 && got < 80'000; ++i) {
    got += rig.far_read().size();
    rig.loop.turn(false);
  }
  CHECK(got == 80'000);
  CHECK(rig.reader.drained == 4);
}

TEST_CASE("stream: finish ends our direction behind the last held byte", "[net][stream]") {
  Rig rig(4096);
  const std::string all = pattern(50'000);
  CHECK(rig.stream.write(all));
  REQUIRE(rig.stream.blocked());
  rig.stream.finish();
  rig.stream.finish();
  CHECK_FALSE(rig.stream.write(std::string_view("too late")));
  std::string got;
  for (int i = 0; i < 200 && rig.stream.blocked(); ++i) {
    got += rig.far_read();
    rig.loop.turn(false);
  }
  got += rig.far_read();
  CHECK(got == all);
  CHECK(rig.far_at_end());
  // The other direction is open.
  rig.stream.want_read(true);
  send(rig.pair.far, "ok", 2, 0);
  rig.loop.turn(false);
  CHECK(rig.reader.got == "ok");
}

TEST_CASE("stream: finish with nothing held ends it at once", "[net][stream]") {
  Rig rig;
  rig.stream.finish();
  CHECK(rig.far_at_end());
}

TEST_CASE("stream: the peer's end is eof, behind what it sent", "[net][stream]") {
  Rig rig;
  rig.stream.want_read(true);
  send(rig.pair.far, "last", 4, 0);
  rig.close_far();
  rig.loop.turn(false);
  rig.loop.turn(false);
  CHECK(rig.reader.got == "last");
  CHECK(rig.reader.last.status == IoStatus::eof);
  CHECK(rig.stream.error() == 0);
}

TEST_CASE("stream: a write to a peer that is gone fails and says why", "[net][stream]") {
  Rig rig;
  rig.close_far();
  CHECK_FALSE(rig.stream.write(std::string_view("x")));
  CHECK(rig.stream.error() == EPIPE);
  CHECK_FALSE(rig.stream.failure_text().empty());
  CHECK_FALSE(rig.stream.write(std::string_view("x")));
  CHECK(rig.stream.read(rig.loop.relay_buffer()).status == IoStatus::error);
  CHECK_FALSE(rig.stream.blocked());
}

TEST_CASE("stream: what came before a failed write can still be read", "[net][stream]") {
  Rig rig;
  send(rig.pair.far, "why", 3, 0);
  rig.close_far();
  CHECK_FALSE(rig.stream.write(std::string_view("x")));
  const ReadResult got = rig.stream.read(rig.loop.relay_buffer());
  CHECK(std::string_view(rig.loop.relay_buffer().data(), got.n) == "why");
  CHECK(rig.stream.read(rig.loop.relay_buffer()).status == IoStatus::error);
}

TEST_CASE("stream: a peer gone while bytes are held is told through drained", "[net][stream]") {
  Rig rig(4096);
  CHECK(rig.stream.write(pattern(50'000)));
  REQUIRE(rig.stream.blocked());
  rig.close_far();
  rig.loop.turn(false);
  CHECK(rig.reader.drained == 1);
  CHECK(rig.stream.error() != 0);
  CHECK_FALSE(rig.stream.blocked());
  rig.loop.turn(false);
  CHECK(rig.reader.drained == 1);
}

TEST_CASE("stream: a reset is an error with its number", "[net][stream]") {
  Rig rig;
  CHECK(rig.stream.write(std::string_view("never read")));
  rig.close_far();
  rig.stream.want_read(true);
  rig.loop.turn(false);
  CHECK(rig.reader.last.status == IoStatus::error);
  CHECK(rig.stream.error() == ECONNRESET);
}

TEST_CASE("stream: unread bytes come first, in pieces of the buffer's size", "[net][stream]") {
  Rig rig;
  rig.stream.unread("early bytes");
  send(rig.pair.far, "late", 4, 0);
  char buffer[8];
  ReadResult first = rig.stream.read(buffer);
  CHECK(std::string(buffer, first.n) == "early by");
  ReadResult second = rig.stream.read(buffer);
  CHECK(std::string(buffer, second.n) == "tes");
  ReadResult third = rig.stream.read(buffer);
  CHECK(std::string(buffer, third.n) == "late");
}

TEST_CASE("stream: closed in its own handler it runs no other", "[net][stream]") {
  Rig rig(4096);
  CHECK(rig.stream.write(pattern(50'000)));
  rig.stream.want_read(true);
  send(rig.pair.far, "x", 1, 0);
  rig.far_read();
  rig.reader.then = rig.reader.on_drain = [](Stream& stream) {
    stream.close();
    stream.close();
  };
  for (int i = 0; i < 30; ++i) {
    rig.far_read();
    rig.loop.turn(false);
  }
  CHECK(rig.reader.reads + rig.reader.drained == 1);
  CHECK_FALSE(rig.stream.is_open());
  CHECK_FALSE(rig.stream.blocked());
  CHECK_FALSE(rig.stream.write(std::string_view("x")));
  rig.stream.want_read(true);
  rig.stream.finish();
  rig.loop.turn(false);
}

TEST_CASE("stream: a descriptor closed and used again in one turn is watched anew",
          "[net][stream]") {
  Loop loop;
  Reader reader(loop);
  for (int i = 0; i < 5; ++i) {
    test::SocketPair pair = test::make_pair();
    Stream stream(loop, pair.near);
    stream.set_handler(reader);
    stream.want_read(true);
    send(pair.far, "x", 1, 0);
    loop.turn(false);
    REQUIRE(reader.got.size() == static_cast<std::size_t>(i + 1));
    ::close(pair.far);
  }
}

TEST_CASE("stream: a socket that was given away is not touched any more", "[net][stream]") {
  Rig rig;
  rig.stream.want_read(true);
  int fd = rig.stream.release_fd();
  send(rig.pair.far, "x", 1, 0);
  rig.loop.turn(false);
  CHECK(rig.reader.reads == 0);
  CHECK_FALSE(rig.stream.is_open());
  char byte = 0;
  CHECK(recv(fd, &byte, 1, 0) == 1);
  ::close(fd);
}

}  // namespace fairlead::net
