#include "tls/post_handshake.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace fairlead::tls {

namespace {

using Event = PostHandshake::Event;
using namespace std::string_literals;

std::string message(std::uint8_t type, std::size_t size) {
  return std::string{static_cast<char>(type), static_cast<char>(size >> 16U),
                     static_cast<char>(size >> 8U), static_cast<char>(size)} +
         std::string(size, 'b');
}

std::vector<Event> events(const std::string& bytes, std::size_t piece) {
  PostHandshake reader;
  std::vector<Event> all;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    std::span<const char> part = std::span(bytes).subspan(at, std::min(piece, bytes.size() - at));
    while (!part.empty()) {
      const Event event = reader.take(part);
      if (event != Event::none) all.push_back(event);
      if (event >= Event::unexpected) return all;
    }
  }
  if (reader.in_message()) all.push_back(Event::none);
  return all;
}

}  // namespace

TEST_CASE("post-handshake: messages are told apart, however they are cut", "[tls][messages]") {
  struct Row {
    const char* why;
    std::string bytes;
    std::vector<Event> events;
  };

  const std::vector<Row> rows = {
      {"a key update", "\x18\0\0\1\0"s, {Event::update}},
      {"one that wants an answer", "\x18\0\0\1\1"s, {Event::update_and_answer}},
      {"two", "\x18\0\0\1\0\x18\0\0\1\1"s, {Event::update, Event::update_and_answer}},
      {"of another kind", "\x18\0\0\1\2"s, {Event::illegal}},
      {"without its byte", "\x18\0\0\0"s, {Event::undecodable}},
      {"of two bytes", "\x18\0\0\2\0\0"s, {Event::undecodable}},
      {"a ticket", message(4, 200), {Event::ticket}},
      {"the largest ticket", message(4, 131337), {Event::ticket}},
      {"one larger", message(4, 131338), {Event::undecodable}},
      {"an empty one", message(4, 0), {Event::undecodable}},
      {"a ticket, an update", message(4, 3) + "\x18\0\0\1\0"s, {Event::ticket, Event::update}},
      {"a HelloRequest", message(0, 0), {Event::unexpected}},
      {"a ClientHello", message(1, 100), {Event::unexpected}},
      {"a CertificateRequest", message(13, 100), {Event::unexpected}},
      {"a Finished", message(20, 32), {Event::unexpected}},
      {"half a header", "\x18\0"s, {Event::none}},
      {"half a ticket", message(4, 100).substr(0, 50), {Event::none}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    for (std::size_t piece = 1; piece <= std::min<std::size_t>(row.bytes.size(), 300); ++piece) {
      REQUIRE(events(row.bytes, piece) == row.events);
    }
    REQUIRE(events(row.bytes, row.bytes.size()) == row.events);
  }
}

}  // namespace fairlead::tls
