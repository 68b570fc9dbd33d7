#pragma once
// Drives a FrameScanner as the tunnel does: keeps what a call left unconsumed, puts it in front of
// the next bytes, forwards every frame, and writes down what happened. Whatever the scanner's
// contract forbids ends up in broken().

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/wire/frame_scanner.h"

namespace fairlead::test {

// How many data messages may begin, and how many more each time the limit was met; 0: then no more.
struct Budget {
  std::uint64_t messages = UINT64_MAX;
  std::uint64_t refill = 0;
};

struct ScanSetup {
  wire::ScanRules rules;
  wire::ScanExtensions extensions = {};
  Budget budget = {};
};

struct Trace {
  std::string forwarded;            // as nothing is dropped: a prefix of the stream
  std::vector<std::string> events;  // "ping @12 +7": a frame of 7 bytes at offset 12
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t texts = 0;  // of the messages
  std::uint64_t continuations = 0;
  bool operator==(const Trace&) const = default;
};

inline std::string event_text(std::string_view what, std::size_t at, std::size_t size) {
  return std::string(what) + " @" + std::to_string(at) + " +" + std::to_string(size);
}

inline std::string violation_text(wire::Violation violation, std::size_t at) {
  return event_text(wire::word(violation), at, 0);
}

class ScanDriver {
 public:
  using Event = wire::ScanResult::Event;

  explicit ScanDriver(const ScanSetup& setup) : setup_(setup), allowed_(setup.budget.messages) {}

  void feed(std::string_view chunk) {
    if (over_) return;
    // A vector of just this size: a sanitizer sees the first byte read behind it.
    std::vector<char> input(tail_.begin(), tail_.end());
    input.insert(input.end(), chunk.begin(), chunk.end());
    std::span<const char> in(input);
    while (step(in)) {
    }
    tail_.assign(in.begin(), in.end());
  }

  const Trace& trace() {
    trace_.messages = counters_.messages;
    trace_.bytes = counters_.bytes;
    trace_.texts = counters_.texts;
    trace_.continuations = counters_.continuations;
    return trace_;
  }

  const wire::FrameScanner& scanner() const { return scanner_; }

  const std::string& tail() const { return tail_; }

  const std::string& broken() const { return broken_; }

 private:
  // One call of scan() and what the tunnel makes of it. False: `in` is used up but for the tail.
  bool step(std::span<const char>& in) {
    const auto result = scanner_.scan(in, setup_.rules, setup_.extensions, counters_,
                                      allowed_ - counters_.messages);
    expect(result.pass + result.frame <= in.size(), "more than there is");
    expect((result.event == Event::violation) == (result.violation != wire::Violation::none),
           "a violation without its event");
    forward(in, result.pass);
    const std::size_t at = trace_.forwarded.size();
    switch (result.event) {
      case Event::none:
        expect(in.size() < wire::kMaxControlFrame, "a tail too long");
        expect(in.empty() || !scanner_.mid_frame(), "payload left behind");
        return false;
      case Event::ping:
      case Event::pong:
      case Event::close:
        return control(in, result, at);
      case Event::empty:
        trace_.events.push_back(event_text("empty", at, result.frame));
        ++counters_.continuations;
        forward(in, result.frame);
        return true;
      case Event::message_limit:
        trace_.events.push_back(event_text("limit", at, 0));
        allowed_ += setup_.budget.refill;
        return setup_.budget.refill != 0 || end(in);
      case Event::violation:
        trace_.events.push_back(violation_text(result.violation, at));
        expect_same_again(in, result.violation);
        return end(in);
    }
    return false;
  }

  bool control(std::span<const char>& in, const wire::ScanResult& result, std::size_t at) {
    expect(result.frame >= 2 && result.frame <= wire::kMaxControlFrame, "size of a control frame");
    expect(result.frame == result.header.size + result.header.length, "header of a control frame");
    expect(!scanner_.mid_frame(), "a control frame within a frame");
    expect(scanner_.closed() == (result.event == Event::close), "closed()");
    trace_.events.push_back(event_text(name(result.event), at, result.frame));
    forward(in, result.frame);
    return result.event == Event::close ? end(in) : true;
  }

  static std::string_view name(Event event) {
    return event == Event::ping ? "ping" : event == Event::pong ? "pong" : "close";
  }

  // A violation changes nothing.
  void expect_same_again(std::span<const char> in, wire::Violation violation) {
    const auto before = counters_;
    const auto again = scanner_.scan(in, setup_.rules, setup_.extensions, counters_,
                                     allowed_ - counters_.messages);
    expect(again.violation == violation && again.pass == 0, "another violation at second sight");
    expect(before.messages == counters_.messages && before.bytes == counters_.bytes,
           "a violation was counted");
  }

  void forward(std::span<const char>& in, std::size_t size) {
    trace_.forwarded.append(in.data(), size);
    in = in.subspan(size);
  }

  bool end(std::span<const char>& in) {
    over_ = true;
    if (scanner_.closed()) {
      const auto result = scanner_.scan(in, setup_.rules, setup_.extensions, counters_);
      expect(result.event == Event::none && result.pass == 0, "something after a Close");
    }
    in = {};
    return false;
  }

  void expect(bool fine, const char* what) {
    if (!fine && broken_.empty()) broken_ = what;
  }

  const ScanSetup setup_;
  std::uint64_t allowed_;
  wire::FrameScanner scanner_;
  wire::ScanCounters counters_;
  Trace trace_;
  std::string tail_;
  std::string broken_;
  bool over_ = false;
};

// The trace of a stream fed in chunks of `chunk` bytes; a broken contract is its last event.
inline Trace scan_trace(std::string_view stream, const ScanSetup& setup,
                        std::size_t chunk = SIZE_MAX) {
  ScanDriver driver(setup);
  while (!stream.empty()) {
    driver.feed(stream.substr(0, chunk));
    stream.remove_prefix(std::min(chunk, stream.size()));
  }
  Trace trace = driver.trace();
  if (!driver.broken().empty()) trace.events.push_back("broken: " + driver.broken());
  return trace;
}

}  // namespace fairlead::test
