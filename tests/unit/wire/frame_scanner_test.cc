#include "proxy/wire/frame_scanner.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/frame_maker.h"
#include "tests/support/scan_driver.h"

namespace fairlead::wire {
namespace {

using namespace std::string_literals;
using test::event_text;
using test::Make;
using test::make;
using test::make_stream;
using test::scan_trace;
using test::ScanDriver;
using test::ScanSetup;
using test::Trace;
using Events = std::vector<std::string>;
using Event = ScanResult::Event;

constexpr ScanExtensions kNoExtension{};
constexpr ScanExtensions kDeflate{.deflate = true, .unknown = false};
constexpr ScanExtensions kUnknown{.deflate = false, .unknown = true};

Make first_fragment() {
  return {.payload = "begin", .fin = false};
}

}  // namespace

TEST_CASE("scanner: the examples of RFC 6455 5.7 pass", "[wire][scanner]") {
  const std::string unmasked =
      "\x81\x05Hello"s + "\x01\x03Hel" + "\x80\x02lo" + "\x89\x05Hello" + "\x82\x7E\x01\x00"s +
      std::string(256, 'b') + "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s + std::string(65536, 'b');
  const std::string masked =
      "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
  const Trace to_client = scan_trace(unmasked, {});
  CHECK(to_client.forwarded == unmasked);
  CHECK(to_client.events == Events{event_text("ping", 16, 7)});
  CHECK(to_client.messages == 4);
  CHECK(to_client.bytes == 5 + 5 + 256 + 65536);

  const Trace to_server = scan_trace(masked, {.rules = {.masked = true}});
  CHECK(to_server.forwarded == masked);
  CHECK(to_server.events == Events{event_text("pong", 11, 11)});
  CHECK(to_server.messages == 1);
  CHECK(to_server.bytes == 5);
}

TEST_CASE("scanner: the longest control frame passes, one byte short of it is kept",
          "[wire][scanner]") {
  const unsigned opcode = GENERATE(8U, 9U, 10U);
  const std::string payload = "\x03\xE8" + std::string(123, 'r');
  const std::string frame = make({.opcode = opcode, .payload = payload, .masked = true});
  REQUIRE(frame.size() == kMaxControlFrame);
  ScanDriver driver({{.masked = true}});
  driver.feed(std::string_view(frame).substr(0, frame.size() - 1));
  CHECK(driver.tail().size() == kMaxControlFrame - 1);
  CHECK(driver.trace().events.empty());
  driver.feed(std::string_view(frame).substr(frame.size() - 1));
  CHECK(driver.tail().empty());
  CHECK(driver.trace().events.size() == 1);
  CHECK(driver.trace().forwarded == frame);
  CHECK(driver.broken() == "");
}

TEST_CASE("scanner: a control frame's header comes with its event", "[wire][scanner]") {
  const std::string stream = make({.payload = "data"}) + make({.opcode = 9, .payload = "are you?"});
  ScanCounters counters;
  FrameScanner scanner;
  const ScanResult result = scanner.scan(stream, {}, kNoExtension, counters);
  REQUIRE(result.event == Event::ping);
  CHECK(result.pass == 6);
  CHECK(result.frame == 10);
  CHECK(result.header.opcode == 9);
  CHECK(result.header.size == 2);
  CHECK(result.header.length == 8);
  CHECK(control_payload(result.header, std::string_view(stream).substr(6)).view() == "are you?");
}

TEST_CASE("scanner: after a Close nothing more is read", "[wire][scanner]") {
  const std::string close = make({.opcode = 8});
  const std::string stream = close + make({.payload = "late"}) + "\xFF\xFF\xFF";
  const Trace trace = scan_trace(stream, {});
  CHECK(trace.forwarded == close);
  CHECK(trace.events == Events{event_text("close", 0, 2)});
  CHECK(trace.messages == 0);
}

TEST_CASE("scanner: a single frame meets either limit, at n-1, n and n+1", "[wire][scanner]") {
  const std::uint64_t limit =
      GENERATE(values<std::uint64_t>({1, 100, 125, 126, 127, 65535, 65536}));
  const bool masked = GENERATE(false, true);
  const bool strict = GENERATE(false, true);
  const bool of_frame = GENERATE(false, true);
  ScanSetup setup{{.masked = masked, .strict = strict}};
  (of_frame ? setup.rules.max_frame : setup.rules.max_message) = limit;
  const auto violation = of_frame ? Violation::frame_too_big : Violation::message_too_big;
  for (std::uint64_t size : {limit - 1, limit, limit + 1}) {
    CAPTURE(limit, size, masked, strict);
    const std::string first = make({.payload = "x", .masked = masked});
    const std::string frame =
        make({.payload = std::string(static_cast<std::size_t>(size), 'x'), .masked = masked});
    const Trace trace = scan_trace(first + frame, setup);
    CHECK(trace == scan_trace(first + frame, setup, 7));
    const Events refused{test::violation_text(violation, first.size())};
    CHECK(trace.events == (size <= limit ? Events{} : refused));
    CHECK(trace.forwarded == (size <= limit ? first + frame : first));
  }
}

TEST_CASE("scanner: a message's limit counts its fragments, at n-1, n and n+1", "[wire][scanner]") {
  const std::uint64_t limit = 300;
  const bool strict = GENERATE(false, true);
  const ScanSetup setup{{.strict = strict, .max_message = limit}, {}, {}};
  for (std::size_t last : {99U, 100U, 101U}) {
    CAPTURE(last, strict);
    const std::string begun = make({.payload = std::string(150, 'a'), .fin = false}) +
                              make({.opcode = 9, .payload = std::string(125, 'p')}) +
                              make({.opcode = 0, .payload = std::string(50, 'b'), .fin = false}) +
                              make({.opcode = 0, .fin = false});
    const std::string end = make({.opcode = 0, .payload = std::string(last, 'c')});
    const std::string next = make({.payload = std::string(300, 'd')});
    const Trace trace = scan_trace(begun + end + next, setup);
    CHECK(trace == scan_trace(begun + end + next, setup, 1));
    REQUIRE(!trace.events.empty());
    if (last <= 100) {
      CHECK(trace.events.size() == 1);  // the Ping: nothing of it counts
      CHECK(trace.forwarded == begun + end + next);
    } else {
      CHECK(trace.events.back() == test::violation_text(Violation::message_too_big, begun.size()));
      CHECK(trace.forwarded == begun);
      CHECK(trace.bytes == 200);
    }
  }
}

TEST_CASE("scanner: a message's size cannot overflow", "[wire][scanner]") {
  // 2^63-1 bytes twice and one more are UINT64_MAX, with two more it would be 0.
  const std::size_t first_size = GENERATE(1U, 2U);
  const std::uint64_t huge = (1ULL << 63) - 1;
  const std::string first = make({.payload = std::string(first_size, 'x'), .fin = false});
  const std::string next = make({.opcode = 0, .fin = false, .claim = huge});
  FrameScanner scanner;
  ScanCounters counters;
  CHECK(scanner.scan(first, {}, kNoExtension, counters).pass == first.size());
  CHECK(scanner.scan(next, {}, kNoExtension, counters).pass == next.size());
  scanner.skip(scanner.frame_remaining(), counters);
  CHECK(counters.bytes == first_size + huge);
  const auto violation = scanner.scan(next, {}, kNoExtension, counters).violation;
  CHECK(violation == (first_size == 1 ? Violation::none : Violation::message_too_big));
}

TEST_CASE("scanner: a length near 2^63 does not evade the limits", "[wire][scanner]") {
  const std::string first = make({.payload = "x", .fin = false});
  const std::string stream = first + make({.opcode = 0, .claim = (1ULL << 63) - 1});
  CHECK(scan_trace(stream, {{.max_message = 1 << 20}}).forwarded == first);
  CHECK(scan_trace(stream, {{.max_frame = 1 << 20}}).forwarded == first);
}

TEST_CASE("scanner: messages_left stops the next message whole", "[wire][scanner]") {
  const std::string small = make({.payload = "small", .masked = true});
  const std::string large = make({.payload = std::string(200, 'l'), .masked = true});
  const std::string begun = make({.payload = "frag", .masked = true, .fin = false});
  const std::string ping = make({.opcode = 9, .masked = true});
  const std::string more = make({.opcode = 0, .payload = "ment", .masked = true});
  const std::string stream = small + begun + ping + more + large + small;
  const std::string three = small + begun + ping + more + large;
  const std::string two = small + begun + ping + more;

  const ScanSetup never{{.masked = true}, {}, {.messages = 2, .refill = 0}};
  const ScanSetup refilled{{.masked = true}, {}, {.messages = 2, .refill = 1}};
  const std::string event_ping = event_text("ping", small.size() + begun.size(), ping.size());
  CHECK(scan_trace(stream, never).events == Events{event_ping, event_text("limit", two.size(), 0)});
  CHECK(scan_trace(stream, never).forwarded == two);
  CHECK(scan_trace(stream, refilled).events == Events{event_ping,
                                                      event_text("limit", two.size(), 0),
                                                      event_text("limit", three.size(), 0)});
  CHECK(scan_trace(stream, refilled).forwarded == stream);
  CHECK(scan_trace(stream, refilled).messages == 4);
  for (std::size_t chunk = 1; chunk < stream.size(); ++chunk) {
    CHECK(scan_trace(stream, never, chunk) == scan_trace(stream, never));
    CHECK(scan_trace(stream, refilled, chunk) == scan_trace(stream, refilled));
  }
}

TEST_CASE("scanner: control frames and fragments go on without messages_left", "[wire][scanner]") {
  const std::string stream =
      make({.fin = false}) + make({.opcode = 0, .payload = "x"}) + make({.opcode = 10});
  const Trace trace =
      scan_trace(stream, {.rules = {}, .extensions = {}, .budget = {.messages = 1}});
  CHECK(trace.forwarded == stream);
}

TEST_CASE("scanner: a wrong frame is refused even when no message may begin", "[wire][scanner]") {
  const ScanSetup setup{{.max_message = 8}, {}, {.messages = 0}};
  CHECK(scan_trace(make({.payload = "x", .rsv = 4}), setup).events ==
        Events{"reserved_bits @0 +0"});
  CHECK(scan_trace(make({.payload = "123456789"}), setup).events ==
        Events{"message_too_big @0 +0"});
}

TEST_CASE("scanner: extensions claim what would be refused", "[wire][scanner]") {
  struct Row {
    const char* why;
    std::vector<Make> frames;
    ScanExtensions extensions;
    std::uint64_t messages;
  };

  const auto row = GENERATE(values<Row>({
      {"a compressed message", {{.opcode = 1, .payload = "x", .rsv = 4}}, kDeflate, 1},
      {"a long compressed message", {{.payload = std::string(500, 'x'), .rsv = 4}}, kDeflate, 1},
      {"an uncompressed message under deflate", {{.payload = "x"}}, kDeflate, 1},
      {"a compressed message in fragments",
       {{.payload = "x", .fin = false, .rsv = 4}, {.opcode = 0, .payload = "y"}},
       kDeflate,
       1},
      {"any RSV bits", {{.payload = "x", .rsv = 7}, {.payload = "x", .rsv = 3}}, kUnknown, 2},
      {"RSV bits on a continuation", {first_fragment(), {.opcode = 0, .rsv = 1}}, kUnknown, 1},
      {"a reserved data frame", {{.opcode = 3, .payload = "x"}}, kUnknown, 0},
      {"a reserved message in fragments",
       {{.opcode = 7, .payload = "x", .fin = false}, {.opcode = 0, .payload = "y"}},
       kUnknown,
       0},
      {"a reserved frame within a message",
       {first_fragment(), {.opcode = 4, .payload = "x"}, {.opcode = 0}, {.payload = "z"}},
       kUnknown,
       2},
      {"a reserved control frame", {{.opcode = 11, .payload = "x", .rsv = 2}}, kUnknown, 0},
      {"a reserved control frame within a message",
       {first_fragment(), {.opcode = 15}, {.opcode = 0}},
       kUnknown,
       1},
  }));
  const bool masked = GENERATE(false, true);
  CAPTURE(row.why, masked);
  const std::string stream = make_stream(row.frames, masked);
  const ScanSetup setup{{.masked = masked}, row.extensions, {}};
  const Trace trace = scan_trace(stream, setup);
  CHECK(trace.events.empty());
  CHECK(trace.forwarded == stream);
  CHECK(trace.messages == row.messages);
  CHECK(scan_trace(stream, setup, 1) == trace);
}

TEST_CASE("scanner: lenient evades no limit and loses no boundary", "[wire][scanner]") {
  struct Row {
    const char* why;
    std::vector<Make> frames;
    std::uint64_t messages;
    std::uint64_t bytes;
    Events events;
  };

  const std::string long_payload(126, 'p');
  const auto row = GENERATE_COPY(values<Row>({
      {"a long Ping passes as data", {{.opcode = 9, .payload = long_payload}}, 0, 126, {}},
      {"a long Close ends nothing", {{.opcode = 8, .payload = long_payload}}, 0, 126, {}},
      {"a Ping of 125 bytes in a form that makes it too long",
       {{.opcode = 9, .payload = std::string(125, 'p'), .length_bytes = 8}},
       0,
       125,
       {}},
      {"a short Ping in a long form",
       {{.opcode = 9, .payload = "x", .length_bytes = 8}},
       0,
       0,
       {"ping @0 +11"}},
      {"a long Ping within a message",
       {first_fragment(), {.opcode = 9, .payload = long_payload}, {.opcode = 0, .payload = "z"}},
       1,
       132,
       {}},
      {"stray continuations are messages",
       {{.opcode = 0, .payload = "x"}, {.opcode = 0}},
       2,
       1,
       {}},
      {"a stray continuation goes on",
       {{.opcode = 0, .payload = "x", .fin = false}, {.opcode = 0}, {.opcode = 0}},
       2,
       1,
       {}},
      {"a message within a message is one more", {first_fragment(), {.payload = "x"}}, 2, 6, {}},
      {"stray continuations add up",
       {{.opcode = 0, .payload = std::string(150, 'x'), .fin = false},
        {.opcode = 0, .payload = std::string(150, 'x')}},
       1,
       150,
       {"message_too_big @154 +0"}},
      {"a long Ping is a frame to the limit",
       {{.opcode = 9, .payload = std::string(201, 'p')}},
       0,
       0,
       {"frame_too_big @0 +0"}},
  }));
  CAPTURE(row.why);
  const std::string stream = make_stream(row.frames, false);
  const ScanSetup setup{{.strict = false, .max_frame = 200, .max_message = 200}, {}, {}};
  const Trace trace = scan_trace(stream, setup);
  CHECK(trace.events == row.events);
  CHECK(trace.messages == row.messages);
  CHECK(trace.bytes == row.bytes);
  CHECK(scan_trace(stream, setup, 1) == trace);
}

// Found by fuzz_frames: the limits once looked at the length only, and took it for a control frame.
TEST_CASE("scanner: a lenient Ping that passes as data meets the limits", "[wire][scanner]") {
  const std::string ping = make({.opcode = 9, .payload = std::string(125, 'p'), .length_bytes = 8});
  CHECK(scan_trace(ping, {{.strict = false, .max_frame = 124}}).forwarded.empty());
  CHECK(scan_trace(ping, {{.strict = false, .max_message = 124}}).forwarded.empty());
  CHECK(scan_trace(ping, {{.strict = false, .max_frame = 125}}).forwarded == ping);
}

TEST_CASE("scanner: payload may pass it by", "[wire][scanner]") {
  const std::string frame = make({.payload = std::string(70000, 'x'), .fin = false});
  ScanCounters counters;
  FrameScanner scanner;
  CHECK_FALSE(scanner.mid_message());
  CHECK(scanner.scan(std::string_view(frame).substr(0, 110), {}, kNoExtension, counters).pass ==
        110);
  CHECK(scanner.frame_remaining() == 69900);
  scanner.skip(69899, counters);
  CHECK(scanner.mid_frame());
  scanner.skip(1, counters);
  CHECK_FALSE(scanner.mid_frame());
  CHECK(scanner.mid_message());
  CHECK(counters.bytes == 70000);
  CHECK(counters.messages == 1);
  CHECK(scanner.scan(make({.opcode = 0}), {}, kNoExtension, counters).pass == 2);
  CHECK_FALSE(scanner.mid_message());
}

TEST_CASE("scanner: nothing in gives nothing out", "[wire][scanner]") {
  ScanCounters counters;
  FrameScanner scanner;
  const ScanResult result = scanner.scan({}, {}, kNoExtension, counters);
  CHECK(result.event == Event::none);
  CHECK(result.pass == 0);
}

TEST_CASE("scanner: a continuation that carries and ends nothing is an event where asked for",
          "[wire][scanner]") {
  const std::string begun = make({.opcode = 1, .payload = "a", .fin = false});
  const std::string empty = make({.opcode = 0, .fin = false});
  const std::string last = make({.opcode = 0});
  const std::string all = begun + empty + last;
  ScanRules rules;
  ScanCounters counters;
  FrameScanner scanner;
  CHECK(scanner.scan(all, rules, kNoExtension, counters).pass == all.size());
  CHECK(counters.continuations == 2);

  rules.show_empty = true;
  counters = {};
  ScanResult result = scanner.scan(all, rules, kNoExtension, counters);
  CHECK(result.event == Event::empty);
  CHECK(result.pass == begun.size());
  CHECK(result.frame == empty.size());
  CHECK(counters.continuations == 0);
  // Not consumed: the same again.
  const std::string_view rest = std::string_view(all).substr(begun.size());
  result = scanner.scan(rest, rules, kNoExtension, counters);
  CHECK(result.event == Event::empty);
  CHECK(result.pass == 0);
  // The end of a message is none.
  result = scanner.scan(rest.substr(empty.size()), rules, kNoExtension, counters);
  CHECK(result.event == Event::none);
  CHECK(result.pass == last.size());
  CHECK(counters.continuations == 1);
  CHECK_FALSE(scanner.mid_message());
}

}  // namespace fairlead::wire
