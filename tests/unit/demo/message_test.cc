#include "proxy/demo/message.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/frame_maker.h"

using namespace fairlead;
using demo::Item;
using test::Make;

namespace {

constexpr std::size_t kMax = 200;

std::string text_of(const Item& item) {
  switch (item.kind) {
    case Item::Kind::none:
      return "none";
    case Item::Kind::message:
      return (item.opcode == wire::Opcode::text ? "text " : "binary ") + std::string(item.payload);
    case Item::Kind::ping:
      return "ping " + std::string(item.payload);
    case Item::Kind::pong:
      return "pong " + std::string(item.payload);
    case Item::Kind::close:
      return "close " + std::to_string(item.code);
    case Item::Kind::violation:
      return "violation " + std::to_string(item.code);
  }
  return {};
}

// Gives the stream in chunks and the unconsumed rest again in front of the next, as a session does.
std::vector<std::string> read_all(const std::string& stream, std::size_t chunk) {
  demo::MessageReader reader(kMax);
  std::vector<std::string> items;
  std::string held;
  for (std::size_t at = 0; at < stream.size(); at += chunk) {
    held += stream.substr(at, chunk);
    std::span<char> in(held);
    for (;;) {
      const Item item = reader.next(in);
      if (item.kind == Item::Kind::none) break;
      items.push_back(text_of(item));
      if (item.kind == Item::Kind::close || item.kind == Item::Kind::violation) return items;
    }
    held = std::string(in.begin(), in.end());
    REQUIRE(held.size() < wire::kMaxControlFrame);
  }
  return items;
}

const std::vector<Make> kStream = {
    {.opcode = 1, .payload = "one"},
    {.opcode = 9, .payload = "are you there"},
    {.opcode = 2, .payload = std::string("\0\xff", 2)},
    {.opcode = 1, .payload = {}},
    {.opcode = 1, .payload = "gr\xc3", .fin = false},
    {.opcode = 0, .payload = {}, .fin = false},
    {.opcode = 10, .payload = "yes"},
    {.opcode = 0, .payload = "\xbc\xc3\x9f"},
    {.opcode = 1, .payload = "two"},
    {.opcode = 2, .payload = std::string(kMax, 'x')},
    {.opcode = 8, .payload = "\x03\xe9going"},
};

}  // namespace

TEST_CASE("messages: whole, joined, with control frames between, however the bytes are cut",
          "[demo][message]") {
  const std::string stream = test::make_stream(kStream, true);
  const std::vector<std::string> want = {"text one",
                                         "ping are you there",
                                         std::string("binary \0\xff", 9),
                                         "text ",
                                         "pong yes",
                                         "text gr\xc3\xbc\xc3\x9f",
                                         "text two",
                                         "binary " + std::string(kMax, 'x'),
                                         "close 1001"};
  for (std::size_t chunk = 1; chunk <= stream.size(); ++chunk) {
    CAPTURE(chunk);
    REQUIRE(read_all(stream, chunk) == want);
  }
}

TEST_CASE("messages: what breaks a rule ends the reading with its code", "[demo][message]") {
  struct Row {
    const char* why;
    std::vector<Make> frames;
    std::vector<std::string> want;
  };

  const std::vector<Row> rows = {
      {"unmasked", {{.opcode = 1, .payload = "a", .masked = true}}, {"violation 1002"}},
      {"reserved bit", {{.payload = "a", .rsv = 4}}, {"violation 1002"}},
      {"unknown opcode", {{.opcode = 3}}, {"violation 1002"}},
      {"nothing to continue", {{.opcode = 0}}, {"violation 1002"}},
      {"a message within a message",
       {{.opcode = 1, .payload = "a", .fin = false}, {.opcode = 1, .payload = "b"}},
       {"violation 1002"}},
      {"a fragmented ping", {{.opcode = 9, .fin = false}}, {"violation 1002"}},
      {"no UTF-8", {{.opcode = 1, .payload = "\xff"}}, {"violation 1007"}},
      {"no UTF-8 behind a good one",
       {{.opcode = 1, .payload = "a"}, {.opcode = 1, .payload = "\xed\xa0\x80"}},
       {"text a", "violation 1007"}},
      {"one byte too long", {{.payload = std::string(kMax + 1, 'x')}}, {"violation 1009"}},
      {"one byte too long in two",
       {{.payload = std::string(kMax, 'x'), .fin = false}, {.opcode = 0, .payload = "x"}},
       {"violation 1009"}},
      {"a close code that may not be sent",
       {{.opcode = 8, .payload = "\x03\xee"}},
       {"violation 1002"}},
      {"a violation right behind a message",
       {{.opcode = 1, .payload = "a"}, {.opcode = 15}},
       {"text a", "violation 1002"}},
      {"nothing is read behind a close",
       {{.opcode = 8}, {.opcode = 1, .payload = "a"}},
       {"close 0"}},
  };
  for (const Row& row : rows) {
    const std::string stream = test::make_stream(row.frames, true);
    for (const std::size_t chunk : {stream.size(), std::size_t{1}}) {
      CAPTURE(row.why, chunk);
      CHECK(read_all(stream, chunk) == row.want);
    }
  }
}

TEST_CASE("messages: a frame that was made is read by the codec", "[demo][message]") {
  for (const std::size_t size : {0U, 125U, 126U, 65535U, 65536U}) {
    const std::string payload(size, 'p');
    const std::string frame = demo::make_frame(wire::Opcode::binary, payload);
    wire::FrameHeader header;
    REQUIRE(wire::decode_header(frame, header) == frame.size() - size);
    CHECK(header.fin);
    CHECK(header.opcode == 2);
    CHECK_FALSE(header.masked);
    CHECK(header.length == size);
    CHECK(frame.substr(header.size) == payload);
  }
}
