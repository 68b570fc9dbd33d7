// A TlsStream against a TlsStream: the client's engine stands in one of them, so both ends are the
// code under test here and the engine has its own oracle in unit/tls.

#include <functional>

#include "proxy/net/stream.h"
#include "tests/support/catch.h"
#include "tests/support/socket_pair.h"
#include "tests/unit/tls/rig.h"
#include "tls/self_signed.h"

namespace fairlead::net {
namespace {

std::shared_ptr<const tls::ServerContext> context() {
  static const auto kMade = [] {
    tls::SelfSigned made = tls::make_self_signed();
    return tls::ServerContext::from_pem(made.certificate, made.key,
                                        conf::ListenerTls::Version::tls12)
        .context;
  }();
  return kMade;
}

// A server's stream, and a client that pumps its engine by hand over the raw descriptor.
struct Rig final : Stream::Handler {
  explicit Rig(int buffer = 0)
      : pair(test::make_pair(false, buffer)),
        stream(loop, pair.near, tls::Engine::server(*context())),
        client(tls::Engine::insecure_client("localhost")) {
    stream.set_handler(*this);
    stream.want_read(true);
  }

  ~Rig() {
    if (pair.far >= 0) ::close(pair.far);
  }

  void on_readable(Stream& from) override {
    last = from.read(loop.relay_buffer());
    got.append(loop.relay_buffer().data(), last.n);
    if (last.status != IoStatus::ok) from.want_read(false);
  }

  void on_drained(Stream&) override { ++drained; }

  void client_turn() {
    if (!out.empty()) {
      ssize_t n = send(pair.far, out.data(), out.size(), MSG_NOSIGNAL);
      if (n > 0) out.erase(0, static_cast<std::size_t>(n));
    }
    char buffer[32 * 1024];
    ssize_t n = recv(pair.far, buffer, sizeof buffer, 0);
    eof = eof || n == 0;
    std::span<const char> in(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
    if (!ready) ready = client->handshake(in, out) == tls::Engine::Status::ok;
    if (!ready || n <= 0) return;
    std::vector<char> to(sizeof buffer + 16 * 1024);
    std::size_t size = 0;
    notified = client->read(in, to, size, out) == tls::Engine::Status::closed || notified;
    client_got.append(to.data(), size);
  }

  void turns(int count = 12) {
    for (int i = 0; i < count; ++i) {
      client_turn();
      loop.turn(false);
    }
  }

  void client_write(std::string_view text) {
    REQUIRE(client->write(text, out) == tls::Engine::Status::ok);
  }

  void shake() {
    turns();
    REQUIRE(ready);
    REQUIRE(stream.ready());
  }

  Loop loop;
  test::SocketPair pair;
  TlsStream stream;
  std::unique_ptr<tls::Engine> client;
  std::string out;
  std::string got;
  std::string client_got;
  ReadResult last;
  int drained = 0;
  bool ready = false;
  bool notified = false;
  bool eof = false;
};

// The raw far end of a pair.
struct FarSocket {
  explicit FarSocket(int owned) : fd(owned) {}

  ~FarSocket() { ::close(fd); }

  FarSocket(const FarSocket&) = delete;
  FarSocket& operator=(const FarSocket&) = delete;

  void send(std::string& out) const {
    const ssize_t n = out.empty() ? 0 : ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (n > 0) out.erase(0, static_cast<std::size_t>(n));
  }

  std::string take() const {
    std::string got(64 * 1024, '\0');
    const ssize_t n = recv(fd, got.data(), got.size(), 0);
    got.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return got;
  }

  int fd;
};

// Reads all there is.
struct Sink final : Stream::Handler {
  explicit Sink(Loop& of) : loop(of) {}

  void on_readable(Stream& from) override {
    last = from.read(loop.relay_buffer());
    got.append(loop.relay_buffer().data(), last.n);
    if (last.status != IoStatus::ok) from.want_read(false);
  }

  void on_drained(Stream&) override {}

  Loop& loop;
  std::string got;
  ReadResult last;
};

}  // namespace

TEST_CASE("tls stream: shakes hands, then carries bytes both ways", "[net][tls]") {
  Rig rig;
  CHECK_FALSE(rig.stream.ready());
  CHECK_FALSE(rig.stream.write(std::string_view("too early")));
  rig.shake();
  CHECK(rig.stream.tls()->version() == "TLSv1.3");
  CHECK(rig.stream.tls()->sni() == "localhost");
  rig.client_write("hello");
  CHECK(rig.stream.write(std::string_view("hi")));
  rig.turns();
  CHECK(rig.got == "hello");
  CHECK(rig.client_got == "hi");
}

TEST_CASE("tls stream: large pieces through small buffers, held and sent in order", "[net][tls]") {
  Rig rig(4096);
  rig.shake();
  std::string all;
  for (int i = 0; i < 30; ++i) {
    std::string piece(9000, static_cast<char>('a' + i % 26));
    CHECK(rig.stream.write(piece));
    all += piece;
  }
  CHECK(rig.stream.blocked());
  rig.client_write(all);
  for (int i = 0; i < 2000 && (rig.client_got.size() < all.size() || rig.got.size() < all.size());
       ++i)
    rig.turns(1);
  CHECK(rig.client_got == all);
  CHECK(rig.got == all);
  CHECK_FALSE(rig.stream.blocked());
  CHECK(rig.drained >= 1);
}

TEST_CASE("tls stream: 64 KiB of records in one read leave nothing inside", "[net][tls]") {
  Rig rig;
  rig.shake();
  const std::string all(150'000, 'r');
  rig.client_write(all);
  while (!rig.out.empty()) rig.client_turn(), rig.loop.turn(false);
  rig.turns(4);
  CHECK(rig.got.size() == all.size());
}

TEST_CASE("tls stream: close_notify of the client is eof behind its last bytes", "[net][tls]") {
  Rig rig;
  rig.shake();
  rig.client_write("last");
  rig.client->close_notify(rig.out);
  rig.turns();
  CHECK(rig.got == "last");
  CHECK(rig.last.status == IoStatus::eof);
  // Ours is open still (RFC 8446 6.1).
  CHECK(rig.stream.write(std::string_view("answer")));
  rig.stream.finish();
  rig.turns();
  CHECK(rig.client_got == "answer");
  CHECK(rig.notified);
  CHECK(rig.eof);
}

TEST_CASE("tls stream: finish sends close_notify and FIN behind what is held", "[net][tls]") {
  Rig rig(4096);
  rig.shake();
  const std::string all(60'000, 'f');
  CHECK(rig.stream.write(all));
  REQUIRE(rig.stream.blocked());
  rig.stream.finish();
  rig.stream.finish();
  CHECK_FALSE(rig.stream.write(std::string_view("x")));
  for (int i = 0; i < 500 && !rig.eof; ++i) rig.turns(1);
  CHECK(rig.client_got == all);
  CHECK(rig.notified);
  CHECK(rig.eof);
}

TEST_CASE("tls stream: what is no TLS is an error with a reason", "[net][tls]") {
  Rig rig;
  const std::string_view http = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  send(rig.pair.far, http.data(), http.size(), 0);
  rig.loop.turn(false);
  CHECK(rig.last.status == IoStatus::error);
  CHECK_FALSE(rig.stream.failure_text().empty());
  CHECK_FALSE(rig.stream.write(std::string_view("x")));
}

TEST_CASE("tls stream: TCP's end without close_notify is an end too", "[net][tls]") {
  Rig rig;
  rig.shake();
  ::close(std::exchange(rig.pair.far, -1));
  rig.loop.turn(false);
  CHECK(rig.last.status != IoStatus::ok);
}

TEST_CASE("tls stream: unread ciphertext comes first", "[net][tls]") {
  Rig rig;
  std::span<const char> none;
  rig.client->handshake(none, rig.out);
  rig.stream.unread(rig.out.substr(0, 20));
  rig.out.erase(0, 20);
  rig.on_readable(rig.stream);
  rig.shake();
}

// A peer that asks for key updates, with data between them, and takes no answer.
TEST_CASE("tls stream: what it answers by itself is bounded by what the peer takes", "[net][tls]") {
  Loop loop;
  const test::SocketPair pair = test::make_pair(false, 4096);
  const FarSocket far(pair.far);
  TlsStream stream(loop, pair.near, tls::Engine::server(*context()));
  Sink sink(loop);
  stream.set_handler(sink);
  stream.want_read(true);
  tls::rig::RawClient client({});
  std::string out = client.feed({});
  const auto turn = [&](bool takes) {
    far.send(out);
    loop.turn(false);
    if (takes) out += client.feed(far.take());
  };
  for (int i = 0; i < 10; ++i) turn(true);
  REQUIRE(stream.ready());

  constexpr int kPairs = 20'000;
  for (int i = 0; i < kPairs; ++i) {
    REQUIRE(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
    out += client.write("x");
  }
  std::size_t left = out.size() + 1;
  while (out.size() < left) {  // as long as it goes on taking them
    left = out.size();
    turn(false);
    REQUIRE(stream.held_bytes() <= conf::bounds::kRelayBuffer);
  }
  CHECK(stream.blocked());
  CHECK(out.size() > 500'000);
  CHECK(stream.reading());  // as far as its owner knows
  // A peer that takes its answers after all gets on.
  for (int i = 0; i < 4000 && sink.got.size() < kPairs; ++i) turn(true);
  CHECK(sink.got == std::string(kPairs, 'x'));
  CHECK(sink.last.status == IoStatus::ok);
  CHECK(stream.write(std::string_view("all is well")));
  for (int i = 0; i < 10; ++i) turn(true);
  CHECK(client.plain() == "all is well");
}

}  // namespace fairlead::net
