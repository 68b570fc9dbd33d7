#include "proxy/edge/trace_exporter.h"

#include <sys/socket.h>

#include "proxy/net/socket.h"
#include "tests/support/catch.h"

namespace fairlead::edge {
namespace {

using namespace std::chrono_literals;
using observe::SpanLoss;

// An exporter in a loop turned by hand; the collector is a socket in our hand.
struct Rig {
  Rig() : bound(net::listen_on(*conf::Address::parse("127.0.0.1:0"))) {
    settings.endpoint = conf::Collector{bound.address, "collector:4318", "/v1/traces"};
    settings.batch = 3;
    settings.queue = 8;
    use();
  }

  void use() { exporter.use(settings, conf::Dns{}); }

  void turn(int times = 20) {
    for (int i = 0; i < times; ++i) loop.turn(false);
  }

  void pass(conf::Millis time) {
    loop.advance_clock(time);
    turn();
  }

  // A worker hands over spans "1", "2", ...; how many there was room for.
  int offer(int count) {
    SpanQueue::Spans spans;
    for (int i = 0; i < count; ++i) {
      std::string span = std::to_string(++number);
      if (exporter.queue().enter(span.size())) spans.push_back(std::move(span));
    }
    const int entered = static_cast<int>(spans.size());
    exporter.queue().deliver(std::move(spans));
    turn();
    return entered;
  }

  // The POST on a new connection, whole; "" if there is none.
  std::string post() {
    std::string text;
    for (int i = 0; i < 100 && !client; ++i) {
      turn(1);
      client = net::Fd(accept4(bound.fd.get(), nullptr, nullptr, SOCK_NONBLOCK));
    }
    if (!client) return text;
    for (int i = 0; i < 1000 && !text.ends_with("]}]}]}"); ++i) {
      turn(1);
      char buffer[4096];
      const auto n = recv(client.get(), buffer, sizeof buffer, 0);
      if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
  }

  void say(std::string_view text) {
    REQUIRE(client);
    REQUIRE(send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
    client.reset();
    turn();
  }

  std::uint64_t dropped(SpanLoss why) {
    return exporter.queue().counts().dropped[static_cast<std::size_t>(why)];
  }

  std::uint64_t sent() { return exporter.queue().counts().sent; }

  static std::string spans_in(const std::string& post) {
    const std::size_t begin = post.rfind("\"spans\":[") + 9;
    return post.substr(begin, post.rfind("]}]}]}") - begin);
  }

  net::Loop loop;
  net::Mailbox mailbox{loop};
  net::Bound bound;
  conf::Tracing settings;
  TraceExporter exporter{loop, mailbox};
  net::Fd client;
  int number = 0;
};

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

}  // namespace

TEST_CASE("exporter: few spans wait for the interval, a batch leaves at once", "[edge][trace]") {
  Rig rig;
  CHECK(rig.offer(2) == 2);
  CHECK(rig.post().empty());
  rig.pass(5010ms);
  const std::string post = rig.post();
  CHECK(post.starts_with("POST /v1/traces HTTP/1.1\r\nHost: collector:4318\r\n"));
  CHECK(post.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(Rig::spans_in(post) == "1,2");
  CHECK(rig.sent() == 0);
  rig.say(kOk);
  CHECK(rig.sent() == 2);
  CHECK(rig.exporter.queue().waiting() == 0);

  rig.offer(4);
  rig.pass(10ms);
  CHECK(Rig::spans_in(rig.post()) == "3,4,5");
  rig.say(kOk);
  CHECK(rig.sent() == 5);
  CHECK(rig.post().empty());
  rig.pass(5010ms);
  CHECK(Rig::spans_in(rig.post()) == "6");
  rig.say(kOk);
  CHECK(rig.sent() == 6);
}

TEST_CASE("exporter: what fails is sent again after a pause, then dropped", "[edge][trace]") {
  struct Case {
    const char* what;
    std::string_view answer;  // "": none in time
  };

  for (const Case& one :
       {Case{"503", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"},
        Case{"garbage", "hello\r\n\r\n"}, Case{"half a head", "HTTP/1.1 200 OK\r\n"},
        Case{"an interim answer", "HTTP/1.1 100 C\r\n\r\n"}, Case{"silence", ""}}) {
    CAPTURE(one.what);
    Rig rig;
    rig.offer(3);
    for (unsigned i = 0; i < TraceExporter::kAttempts; ++i) {
      rig.pass(60'000ms);
      CHECK(Rig::spans_in(rig.post()) == "1,2,3");
      if (one.answer.empty()) {
        rig.client.reset();
        rig.turn();
        continue;
      }
      rig.say(one.answer);
      CHECK(rig.post().empty());
    }
    CHECK(rig.dropped(SpanLoss::unreachable) == 3);
    CHECK(rig.exporter.queue().waiting() == 0);
    rig.offer(3);
    rig.pass(60'000ms);
    CHECK(Rig::spans_in(rig.post()) == "4,5,6");
    rig.say(kOk);
    CHECK(rig.sent() == 3);
  }
}

TEST_CASE("exporter: a collector that says nothing is given up after the timeout",
          "[edge][trace]") {
  Rig rig;
  rig.offer(3);
  rig.pass(10ms);
  CHECK_FALSE(rig.post().empty());
  rig.pass(9900ms);
  char byte = 0;
  CHECK(recv(rig.client.get(), &byte, 1, 0) < 0);
  rig.pass(200ms);
  CHECK(recv(rig.client.get(), &byte, 1, 0) == 0);
}

TEST_CASE("exporter: what is rejected is not sent again", "[edge][trace]") {
  Rig rig;
  rig.offer(3);
  rig.pass(10ms);
  rig.post();
  rig.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  CHECK(rig.dropped(SpanLoss::rejected) == 3);
  rig.pass(60'000ms);
  CHECK(rig.post().empty());
}

TEST_CASE("exporter: the queue is bounded in spans and in bytes", "[edge][trace]") {
  Rig rig;
  CHECK(rig.offer(9) == 8);
  CHECK(rig.dropped(SpanLoss::queue_full) == 1);
  SpanQueue& queue = rig.exporter.queue();
  rig.settings.queue = 100;
  rig.use();
  CHECK(queue.enter(conf::bounds::kSpanBytes - 8));
  CHECK_FALSE(queue.enter(1));
  CHECK(rig.dropped(SpanLoss::queue_full) == 2);
  queue.leave(1, conf::bounds::kSpanBytes - 8);
  CHECK(queue.enter(1));
}

TEST_CASE("exporter: a collector's name is resolved", "[edge][trace]") {
  Rig rig;
  rig.settings.endpoint->address = {
      conf::Address::Kind::name, {}, "localhost", rig.bound.address.port};
  rig.use();
  rig.offer(3);
  rig.pass(10ms);
  CHECK(Rig::spans_in(rig.post()) == "1,2,3");
}

TEST_CASE("exporter: switched off, what waits is dropped", "[edge][trace]") {
  Rig rig;
  rig.offer(2);
  rig.settings.endpoint.reset();
  rig.use();
  CHECK(rig.dropped(SpanLoss::off) == 2);
  CHECK(rig.offer(1) == 0);
  CHECK(rig.dropped(SpanLoss::off) == 3);
}

TEST_CASE("exporter: switched off by a reload, its timer sends nothing", "[edge][trace]") {
  Rig rig;
  SECTION("while spans wait for their interval") {
    rig.offer(2);
  }
  SECTION("while a batch waits for another try") {
    rig.offer(3);
    rig.pass(10ms);
    REQUIRE_FALSE(rig.post().empty());
    rig.say("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
  }
  SECTION("while the collector is asked for its answer") {
    rig.offer(3);
    rig.pass(10ms);
    REQUIRE_FALSE(rig.post().empty());
    rig.client.reset();
  }
  const std::optional<conf::Collector> before = std::exchange(rig.settings.endpoint, std::nullopt);
  rig.use();
  rig.pass(61'000ms);
  CHECK(rig.post().empty());
  CHECK(rig.exporter.queue().waiting() == 0);
  rig.settings.endpoint = before;  // on again: nothing of what was dropped is left
  rig.use();
  rig.pass(61'000ms);
  CHECK(rig.post().empty());
  rig.number = 6;
  rig.offer(3);
  rig.pass(10ms);
  CHECK(Rig::spans_in(rig.post()) == "7,8,9");
}

TEST_CASE("exporter: at the end all is sent, or given up in time", "[edge][trace]") {
  Rig rig;
  bool done = false;
  SECTION("nothing waits") {
    rig.exporter.finish(rig.loop.now() + 1s, [&] { done = true; });
    CHECK(done);
  }
  SECTION("the collector takes it") {
    rig.offer(4);
    rig.exporter.finish(rig.loop.now() + 1s, [&] { done = true; });
    rig.pass(10ms);
    CHECK(Rig::spans_in(rig.post()) == "1,2,3");
    rig.say(kOk);
    rig.pass(10ms);
    CHECK(Rig::spans_in(rig.post()) == "4");
    CHECK_FALSE(done);
    rig.say(kOk);
    CHECK(done);
    CHECK(rig.sent() == 4);
  }
  SECTION("it does not") {
    rig.offer(4);
    rig.exporter.finish(rig.loop.now() + 1s, [&] { done = true; });
    rig.pass(10ms);
    CHECK_FALSE(rig.post().empty());
    rig.pass(1010ms);
    CHECK(done);
    CHECK(rig.dropped(SpanLoss::stopped) == 4);
    CHECK(rig.exporter.queue().waiting() == 0);
  }
}

}  // namespace fairlead::edge
