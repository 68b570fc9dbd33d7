// Every Violation of the scanner, with its reason, in both directions.

#include <string>
#include <string_view>
#include <vector>

#include "proxy/wire/frame_scanner.h"
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
using test::ScanSetup;
using test::Trace;
using Events = std::vector<std::string>;

constexpr ScanExtensions kNoExtension{};
constexpr ScanExtensions kDeflate{.deflate = true, .unknown = false};
constexpr ScanExtensions kUnknown{.deflate = false, .unknown = true};

Make first_fragment() {
  return {.payload = "begin", .fin = false};
}

Make close_with(std::string payload) {
  return {.opcode = 8, .payload = std::move(payload)};
}

struct Bad {
  const char* why;
  Violation violation;
  std::vector<Make> frames;  // the last one is refused
  ScanExtensions extensions = {};
};

// clang-format off
const std::vector<Bad> kBad{
    {"RSV1 without an extension", Violation::reserved_bits, {{.rsv = 4}}},
    {"RSV2", Violation::reserved_bits, {{.rsv = 2}}},
    {"RSV3", Violation::reserved_bits, {{.rsv = 1}}},
    {"RSV2 under deflate", Violation::reserved_bits, {{.rsv = 2}}, kDeflate},
    {"RSV1 and RSV3 under deflate", Violation::reserved_bits, {{.rsv = 5}}, kDeflate},
    {"RSV1 on a continuation", Violation::reserved_bits, {first_fragment(), {.opcode = 0, .rsv = 4}}, kDeflate},
    {"RSV1 on a Ping", Violation::reserved_bits, {{.opcode = 9, .rsv = 4}}, kDeflate},
    {"RSV1 on a Close", Violation::reserved_bits, {{.opcode = 8, .rsv = 4}}, kDeflate},
    {"opcode 3", Violation::unknown_opcode, {{.opcode = 3}}},
    {"opcode 7", Violation::unknown_opcode, {{.opcode = 7}}},
    {"opcode 11", Violation::unknown_opcode, {{.opcode = 11}}},
    {"opcode 15", Violation::unknown_opcode, {{.opcode = 15}}},
    {"opcode 3 under deflate", Violation::unknown_opcode, {{.opcode = 3, .rsv = 4}}, kDeflate},
    {"a Ping of 126 bytes", Violation::control_too_long, {{.opcode = 9, .payload = std::string(126, 'p')}}},
    {"a Pong of 64 KiB", Violation::control_too_long, {{.opcode = 10, .payload = std::string(65536, 'p')}}},
    {"a Close of 126 bytes", Violation::control_too_long, {close_with("\x03\xE8" + std::string(124, 'r'))}},
    {"a short Ping in a long form", Violation::control_too_long, {{.opcode = 9, .payload = "p", .length_bytes = 2}}},
    {"a long control frame of an extension", Violation::control_too_long, {{.opcode = 11, .payload = std::string(126, 'p')}}, kUnknown},
    {"a Ping without FIN", Violation::control_fragmented, {{.opcode = 9, .fin = false}}},
    {"a Pong without FIN", Violation::control_fragmented, {{.opcode = 10, .fin = false}}},
    {"a Close without FIN", Violation::control_fragmented, {{.opcode = 8, .fin = false}}},
    {"an extension's control frame without FIN", Violation::control_fragmented, {{.opcode = 12, .fin = false}}, kUnknown},
    {"a text's mask bit", Violation::wrong_masking, {{.opcode = 1, .payload = "x", .masked = true}}},
    {"an empty binary's mask bit", Violation::wrong_masking, {{.masked = true}}},
    {"a long binary's mask bit", Violation::wrong_masking, {{.payload = std::string(1000, 'x'), .masked = true}}},
    {"a continuation's mask bit", Violation::wrong_masking, {first_fragment(), {.opcode = 0, .masked = true}}},
    {"a Ping's mask bit", Violation::wrong_masking, {{.opcode = 9, .masked = true}}},
    {"a Close's mask bit", Violation::wrong_masking, {{.opcode = 8, .masked = true}}},
    {"an unknown extension does not change masking", Violation::wrong_masking, {{.opcode = 3, .masked = true}}, kUnknown},
    {"nothing to continue", Violation::bad_continuation, {{.opcode = 0}}},
    {"nothing to continue, FIN 0", Violation::bad_continuation, {{.opcode = 0, .fin = false}}},
    {"nothing left to continue", Violation::bad_continuation, {first_fragment(), {.opcode = 0}, {.opcode = 0}}},
    {"a text within a message", Violation::bad_continuation, {first_fragment(), {.opcode = 1}}},
    {"a binary within a message", Violation::bad_continuation, {first_fragment(), {.payload = "x", .fin = false}}},
    {"125 bytes in two more", Violation::length_not_minimal, {{.payload = std::string(125, 'x'), .length_bytes = 2}}},
    {"no bytes in two more", Violation::length_not_minimal, {{.length_bytes = 2}}},
    {"65535 bytes in eight more", Violation::length_not_minimal, {{.payload = std::string(65535, 'x'), .length_bytes = 8}}},
    {"one byte in eight more", Violation::length_not_minimal, {{.payload = "x", .length_bytes = 8}}},
    {"the top bit of a length", Violation::length_too_large, {{.claim = 1ULL << 63}}},
    {"all bits of a length", Violation::length_too_large, {{.claim = UINT64_MAX}}},
    {"a Close of one byte", Violation::bad_close_payload, {close_with("\x03")}},
    {"code 0", Violation::bad_close_payload, {close_with("\0\0"s)}},
    {"code 999", Violation::bad_close_payload, {close_with("\x03\xE7")}},
    {"code 1004", Violation::bad_close_payload, {close_with("\x03\xEC")}},
    {"code 1005", Violation::bad_close_payload, {close_with("\x03\xED")}},
    {"code 1006 with a reason", Violation::bad_close_payload, {close_with("\x03\xEEgone")}},
    {"code 1015", Violation::bad_close_payload, {close_with("\x03\xF7")}},
    {"code 2999", Violation::bad_close_payload, {close_with("\x0B\xB7")}},
    {"code 5000", Violation::bad_close_payload, {close_with("\x13\x88")}},
    {"code 65535", Violation::bad_close_payload, {close_with("\xFF\xFF")}},
    {"an overlong reason", Violation::close_reason_not_utf8, {close_with("\x03\xE8\xC0\x80")}},
    {"a reason cut within a character", Violation::close_reason_not_utf8, {close_with("\x03\xE8gr\xC3\xBC\xC3")}},
    {"a surrogate as the reason of code 3000", Violation::close_reason_not_utf8, {close_with("\x0B\xB8\xED\xA0\x80")}},
};
// clang-format on

}  // namespace

TEST_CASE("scanner: each rule has its violation, in both directions", "[wire][scanner]") {
  const bool masked = GENERATE(false, true);
  for (const Bad& bad : kBad) {
    CAPTURE(bad.why, masked);
    const ScanSetup setup{{.masked = masked}, bad.extensions, {}};
    const std::string good = make_stream(
        {{.opcode = 1, .payload = "before"}, {.payload = std::string(300, 'b')}}, masked);
    const std::vector<Make> opening(bad.frames.begin(), bad.frames.end() - 1);
    const std::string before = good + make_stream(opening, masked);
    const std::string stream = good + make_stream(bad.frames, masked) + good;

    const Trace trace = scan_trace(stream, setup);
    CHECK(trace.events == Events{test::violation_text(bad.violation, before.size())});
    CHECK(trace.forwarded == before);
    CHECK(scan_trace(stream, setup, 1) == trace);
  }
}

TEST_CASE("scanner: lenient passes what strict refuses, but for an unreadable length",
          "[wire][scanner]") {
  const bool masked = GENERATE(false, true);
  for (const Bad& bad : kBad) {
    CAPTURE(bad.why, masked);
    const ScanSetup setup{{.masked = masked, .strict = false}, bad.extensions, {}};
    const std::string frames = make_stream(bad.frames, masked);
    const std::string ping = make_stream({{.opcode = 9, .payload = "after"}}, masked);
    const Trace trace = scan_trace(frames + ping, setup);
    CHECK(scan_trace(frames + ping, setup, 1) == trace);
    if (bad.violation == Violation::length_too_large) {
      CHECK(trace.events == Events{test::violation_text(bad.violation, 0)});
    } else if (bad.frames.back().opcode == 8 && bad.frames.back().payload.size() <= 125) {
      CHECK(trace.events == Events{event_text("close", 0, frames.size())});
    } else {
      // Whatever passed, the scanner stands at the boundary behind it.
      CHECK(trace.forwarded == frames + ping);
      REQUIRE(!trace.events.empty());
      CHECK(trace.events.back() == event_text("ping", frames.size(), ping.size()));
    }
  }
}

TEST_CASE("scanner: each violation has a word and a close code", "[wire][scanner]") {
  for (const Bad& bad : kBad) {
    const int want = bad.violation == Violation::close_reason_not_utf8 ? 1007 : 1002;
    CHECK(close_code(bad.violation) == want);
  }
  CHECK(close_code(Violation::frame_too_big) == 1009);
  CHECK(close_code(Violation::message_too_big) == 1009);
  CHECK(word(Violation::none) == "none");
  CHECK(word(Violation::reserved_bits) == "reserved_bits");
  CHECK(word(Violation::close_reason_not_utf8) == "close_reason_not_utf8");
  CHECK(word(Violation::message_too_big) == "message_too_big");
}

TEST_CASE("scanner: a violation shows with the first bytes that prove it", "[wire][scanner]") {
  const auto after = [](std::string_view bytes) {
    ScanCounters counters;
    FrameScanner scanner;
    return scanner.scan(bytes, {.masked = true}, kNoExtension, counters).violation;
  };
  CHECK(after("\x82\xFF") == Violation::none);
  CHECK(after("\x82\x7F") == Violation::wrong_masking);
  CHECK(after("\xC2\xFF") == Violation::reserved_bits);
  CHECK(after("\x89\xFE") == Violation::control_too_long);
  CHECK(after("\x80\xFF") == Violation::bad_continuation);
}

}  // namespace fairlead::wire
