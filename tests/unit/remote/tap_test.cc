#include "proxy/remote/event_reader.h"
#include "proxy/remote/pcapng.h"
#include "proxy/remote/tap_lines.h"
#include "tests/support/catch.h"

using namespace fairlead;
using namespace fairlead::remote;

namespace {

std::vector<std::string> events(std::string_view text, std::size_t piece) {
  std::vector<std::string> all;
  EventReader reader;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    reader.feed(text.substr(0, piece), [&](std::string_view name, std::string_view data) {
      all.push_back(std::string(name) + "=" + std::string(data));
      return true;
    });
  }
  return all;
}

std::uint64_t little(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::uint64_t big(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

struct Block {
  std::uint64_t type;
  std::string body;
};

// Checks what holds for every block.
std::vector<Block> blocks(std::string_view file) {
  std::vector<Block> all;
  while (!file.empty()) {
    REQUIRE(file.size() >= 12);
    const auto size = static_cast<std::size_t>(little(file, 4, 4));
    REQUIRE(size % 4 == 0);
    REQUIRE(size <= file.size());
    REQUIRE(little(file, size - 4, 4) == size);
    all.push_back({little(file, 0, 4), std::string(file.substr(8, size - 12))});
    file.remove_prefix(size);
  }
  return all;
}

TappedFrame frame(std::string bytes, std::uint64_t length) {
  TappedFrame one;
  one.at_us = 1709210096789012;
  one.from_client = true;
  one.type = "text";
  one.opcode = 1;
  one.fin = true;
  one.masked = true;
  one.length = length;
  one.bytes = std::move(bytes);
  return one;
}

}  // namespace

TEST_CASE("events: names and data, however the stream is cut", "[remote][tap]") {
  const std::string text =
      ":\n\nevent: open\ndata: {\"a\":1}\n\n:\r\n\r\ndata:x\r\n\r\nretry: 5\nevent:end\n\n\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece)
    REQUIRE(events(text, piece) == std::vector<std::string>{"open={\"a\":1}", "=x", "end="});
  const std::string longest(EventReader::kLine - 6, 'x');
  CHECK(events("data: " + longest + "\n\n", 1000) == std::vector<std::string>{"=" + longest});
  CHECK(events("data: " + longest + "xx\n\ndata: y\n\n", 1000) == std::vector<std::string>{"=y"});
}

TEST_CASE("tap lines: frames for people", "[remote][tap]") {
  CHECK(event_line("frame", R"({"at":1709210096789.012,"from":"client","type":"text","opcode":1,)"
                            R"("fin":true,"rsv":0,"length":7,"bytes":"68220a1b5c"})") ==
        R"(12:34:56.789012 client  > text         fin        7  "h\"\x0a\x1b\\"...)");
  CHECK(event_line("frame", R"({"at":1709210096789.012,"from":"backend","type":"binary",)"
                            R"("opcode":2,"fin":false,"rsv":4,"length":70000})") ==
        "12:34:56.789012 backend < binary              70000  rsv 4");
  CHECK(event_line("frame", R"({"at":0,"from":"backend","type":"close","opcode":8,"fin":true,)"
                            R"("length":5,"bytes":"03e8627965"})") ==
        "00:00:00.000000 backend < close        fin        5  1000 bye");
  CHECK(event_line("frame", R"({"at":0,"from":"client","type":"text","fin":true,"length":5,)"
                            R"("withheld":true})")
            .ends_with("5  (withheld: compressed, or part of a message)"));
  CHECK(event_line("dropped", "12") == "(12 frames not shown: too many for the tap)");
  CHECK(event_line("end", R"({"reason":"client_closed"})") == "(the session ended: client_closed)");
  CHECK(event_line("open", R"({"conn_id":"00ab","host":"a","path":"/\u001b[2J"})")
            .starts_with(R"(session 00ab: a/\u001b[2J)"));
  CHECK(event_line("frame", "no json").empty());
  CHECK(event_line("what", "{}").empty());
}

TEST_CASE("pcapng: blocks that fit, a handshake, frames that follow each other", "[remote][tap]") {
  Capture capture;
  const auto opening = observe::parse_json(
      R"({"client_ip":"198.51.100.7","listener":"0.0.0.0:443","host":"a.com","path":"/room",)"
      R"("subprotocol":"chat"})");
  const auto begin = blocks(capture.begin(*opening, 1709210096789012));
  REQUIRE(begin.size() == 7);
  CHECK(begin[0].type == 0x0A0D0D0A);
  CHECK(little(begin[0].body, 0, 4) == 0x1A2B3C4D);
  CHECK(begin[1].type == 1);
  CHECK(little(begin[1].body, 0, 2) == 101);
  for (std::size_t i = 2; i < begin.size(); ++i) CHECK(begin[i].type == 6);
  CHECK((little(begin[2].body, 4, 4) << 32 | little(begin[2].body, 8, 4)) == 1709210096789012);
  const std::string& request = begin[5].body;
  CHECK(request.find("GET /room HTTP/1.1\r\nHost: a.com\r\n") == 20 + 40);
  CHECK(big(request, 20 + 12, 4) == 0xC6336407);  // the client's address
  CHECK(big(request, 20 + 16, 4) == 0xC0000202);
  CHECK(begin[6].body.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") !=
        std::string::npos);
  CHECK(begin[6].body.find("Sec-WebSocket-Protocol: chat\r\n") != std::string::npos);

  const auto sequence = [](const Block& block) { return big(block.body, 20 + 20 + 4, 4); };
  const auto first = blocks(capture.frame(frame("hello", 5)));
  REQUIRE(first.size() == 1);
  CHECK(little(first[0].body, 12, 4) == 40 + 6 + 5);
  CHECK(little(first[0].body, 16, 4) == 40 + 6 + 5);
  CHECK(first[0].body.substr(60, 11) == std::string("\x81\x85\0\0\0\0hello", 11));
  // Cut short: captured less than there was.
  const auto second = blocks(capture.frame(frame("he", 1000)));
  CHECK(sequence(second[0]) == sequence(first[0]) + 11);
  CHECK(little(second[0].body, 12, 4) == 40 + 8 + 2);
  CHECK(little(second[0].body, 16, 4) == 40 + 8 + 1000);
  // Larger than a packet: the next stands where this one's end would be.
  const auto third = blocks(capture.frame(frame("he", 1'000'000)));
  CHECK(sequence(third[0]) == sequence(second[0]) + 8 + 1000);
  CHECK(little(third[0].body, 16, 4) == 65'535);
  const auto fourth = blocks(capture.frame(frame("", 0)));
  CHECK(sequence(fourth[0]) == sequence(third[0]) + 14 + 1'000'000);
}
