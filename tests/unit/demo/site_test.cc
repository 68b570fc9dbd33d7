// Sessions with the demo's servers, over real sockets.

#include "proxy/demo/site.h"

#include <thread>
#include <vector>

#include "tests/unit/demo/rig.h"

using namespace fairlead;
using namespace fairlead::test;

namespace {

std::string from(const char* name, const std::string& text) {
  return std::string("{\"from\":\"") + name + "\",\"text\":\"" + text + "\"}";
}

std::string presence(const std::string& what, int here) {
  return "{\"info\":\"" + what + "\",\"here\":" + std::to_string(here) + "}";
}

}  // namespace

TEST_CASE("site: two start side by side on ports of their own", "[demo][site]") {
  const auto one = start_site();
  const auto two = start_site();
  CHECK(one->echo().ip.is_loopback());
  CHECK(one->chat().ip.is_loopback());
  CHECK(one->echo().port != 0);
  CHECK(one->echo().port != one->chat().port);
  CHECK(one->echo().port != two->echo().port);
}

TEST_CASE("site: the end of it closes every session with 1001", "[demo][site]") {
  auto site = start_site();
  EchoClient echo(*site);
  ChatClient chat(*site);
  const Client idle(site->chat());
  REQUIRE(chat.text() == presence("guest-1 joined", 1));
  site.reset();
  for (Client* client : std::vector<Client*>{&echo, &chat}) {
    const Got got = client->frame();
    CHECK(got.opcode() == 8);
    CHECK(got.close().code == 1001);
    CHECK(client->at_end());
  }
}

TEST_CASE("echo: a message comes back as it was", "[demo][echo]") {
  const auto site = start_site();
  EchoClient client(*site);
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U, 1U << 20}) {
    CAPTURE(size);
    const std::string payload(size, static_cast<char>(0xE5));
    REQUIRE(client.send(make({.opcode = 2, .payload = payload, .masked = true})));
    const Got got = client.frame();
    CHECK(got.opcode() == 2);
    CHECK(got.header.fin);
    CHECK_FALSE(got.header.masked);
    CHECK(got.payload == payload);
  }
  REQUIRE(client.say("gr\xc3\xbc\xc3\x9f"));
  const Got got = client.frame();
  CHECK(got.opcode() == 1);
  CHECK(got.payload == "gr\xc3\xbc\xc3\x9f");
}

TEST_CASE("echo: fragments come back joined, a ping among them is answered before",
          "[demo][echo]") {
  const auto site = start_site();
  EchoClient client(*site);
  REQUIRE(client.send(make_stream({{.opcode = 1, .payload = "Hel", .fin = false},
                                   {.opcode = 9, .payload = "still there?"},
                                   {.opcode = 0, .payload = "lo"}},
                                  true)));
  Got got = client.frame();
  CHECK(got.opcode() == 10);
  CHECK(got.payload == "still there?");
  got = client.frame();
  CHECK(got.opcode() == 1);
  CHECK(got.payload == "Hello");
}

TEST_CASE("echo: many messages in one go come back in order", "[demo][echo]") {
  const auto site = start_site();
  EchoClient client(*site);
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    all += make({.opcode = 1, .payload = std::to_string(i), .masked = true});
  }
  REQUIRE(client.send(all));
  for (int i = 0; i < 3000; ++i) REQUIRE(client.text() == std::to_string(i));
}

TEST_CASE("echo: a client slower than its messages gets them all", "[demo][echo]") {
  const auto site = start_site();
  Client client(site->echo(), 16 * 1024);
  shake_hands(client, "/echo");
  constexpr int kMessages = 8;
  const std::string megabyte(1 << 20, 'm');
  // More than the sockets take: the server stops reading what it cannot return.
  std::thread writer([&] {
    const std::string frame = make({.opcode = 2, .payload = megabyte, .masked = true});
    for (int i = 0; i < kMessages; ++i) client.send(frame);
  });
  int whole = 0;
  while (whole < kMessages && client.frame().payload == megabyte) ++whole;
  writer.join();
  CHECK(whole == kMessages);
}

TEST_CASE("echo: Close is answered with its code, and the connection ends", "[demo][echo]") {
  struct Row {
    const char* why;
    std::string payload;
    int code;
  };

  const auto site = start_site();
  for (const Row& row : std::vector<Row>{{"with a code", "\x03\xe8thanks", 1000},
                                         {"of the application", "\x0f\xa0", 4000},
                                         {"empty", "", 0}}) {
    CAPTURE(row.why);
    EchoClient client(*site);
    REQUIRE(client.send(make({.opcode = 8, .payload = row.payload, .masked = true})));
    const Got got = client.frame();
    CHECK(got.opcode() == 8);
    CHECK(got.close().code == row.code);
    CHECK(client.at_end());
  }
}

TEST_CASE("echo: what breaks the protocol ends with its Close", "[demo][echo]") {
  struct Row {
    const char* why;
    std::string bytes;
    int code;
  };

  const std::vector<Row> rows = {
      {"unmasked", make({.opcode = 1, .payload = "a"}), 1002},
      {"garbage", std::string(1000, '\xee'), 1002},
      {"no UTF-8", make({.opcode = 1, .payload = "\xc0\x80", .masked = true}), 1007},
      {"too long by a byte", make({.masked = true, .length_bytes = 8, .claim = (1 << 20) + 1}),
       1009},
      {"too long to be true", make({.masked = true, .length_bytes = 8, .claim = 1ULL << 63}), 1002},
  };
  const auto site = start_site();
  for (const Row& row : rows) {
    CAPTURE(row.why);
    EchoClient client(*site);
    REQUIRE(client.send(row.bytes));
    const Got got = client.frame();
    CHECK(got.opcode() == 8);
    CHECK(got.close().code == row.code);
    CHECK(client.at_end());
  }
}

TEST_CASE("chat: two hear each other, and who comes and goes", "[demo][chat]") {
  const auto site = start_site();
  ChatClient one(*site);
  CHECK(one.text() == presence("guest-1 joined", 1));
  ChatClient two(*site);
  CHECK(one.text() == presence("guest-2 joined", 2));
  CHECK(two.text() == presence("guest-2 joined", 2));

  REQUIRE(one.say("hello"));
  CHECK(one.text() == from("guest-1", "hello"));
  CHECK(two.text() == from("guest-1", "hello"));
  REQUIRE(two.say("\"<b>\"\n"));
  CHECK(one.text() == from("guest-2", "\\\"<b>\\\"\\u000a"));
  CHECK(two.text() == from("guest-2", "\\\"<b>\\\"\\u000a"));

  REQUIRE(two.send(make({.opcode = 8, .payload = "\x03\xe8", .masked = true})));
  CHECK(two.frame().close().code == 1000);
  CHECK(one.text() == presence("guest-2 left", 1));
  CHECK(two.at_end());
}

TEST_CASE("chat: one that is cut off has left too", "[demo][chat]") {
  const auto site = start_site();
  ChatClient one(*site);
  one.text();
  {
    ChatClient two(*site);
    CHECK(one.text() == presence("guest-2 joined", 2));
  }
  CHECK(one.text() == presence("guest-2 left", 1));
}

TEST_CASE("chat: text of 4096 bytes passes, of one more, and binary, not", "[demo][chat]") {
  const auto site = start_site();
  for (const std::size_t size : {4095U, 4096U}) {
    ChatClient client(*site);
    client.text();
    REQUIRE(client.say(std::string(size, 'x')));
    CHECK(client.text().find(std::string(size, 'x') + "\"}") != std::string::npos);
  }
  ChatClient longer(*site);
  longer.text();
  REQUIRE(longer.say(std::string(4097, 'x')));
  CHECK(longer.frame().close().code == 1009);

  ChatClient binary(*site);
  binary.text();
  REQUIRE(binary.send(make({.opcode = 2, .payload = "x", .masked = true})));
  CHECK(binary.frame().close().code == 1003);
}

TEST_CASE("chat: one that does not read is dropped, and the others are told", "[demo][chat]") {
  const auto site = start_site();
  ChatClient talker(*site);
  REQUIRE(talker.text() == presence("guest-1 joined", 1));
  ChatClient sleeper(*site, 4096);
  REQUIRE(talker.text() == presence("guest-2 joined", 2));

  // As many as the kernel takes for it, then 256 KiB more.
  const std::string text(4096, 'z');
  std::string heard;
  for (int i = 0; i < 5000 && heard != presence("guest-2 left", 1); ++i) {
    REQUIRE(talker.say(text));
    heard = talker.text();
    REQUIRE_FALSE(heard.empty());
  }
  CHECK(heard == presence("guest-2 left", 1));
  // What was sent in time is there, then the end.
  sleeper.rest();
  CHECK(sleeper.at_end());
}

TEST_CASE("chat: a client that takes nothing for too long is dropped", "[demo][chat]") {
  demo::Limits limits;
  limits.stall = std::chrono::milliseconds(20);
  const auto site = start_site(limits);
  Client client(site->echo(), 4096);
  shake_hands(client, "/echo");
  const std::string megabyte(1 << 20, 'm');
  // The server reads until it holds something, then no more: sending fails once it has closed.
  while (client.send(make({.opcode = 2, .payload = megabyte, .masked = true}))) {
  }
  client.rest();
  CHECK(client.at_end());
}
