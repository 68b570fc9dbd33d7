#include "proxy/remote/tap_lines.h"

#include <fmt/format.h>

#include <iterator>

#include "proxy/remote/tables.h"

namespace fairlead::remote {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

std::string unhex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  return out;
}

std::string quoted(const TappedFrame& frame) {
  std::string out = "\"";
  for (const char c : frame.bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    }
  }
  out += '"';
  return frame.bytes.size() < frame.length ? out + "..." : out;
}

// What a Close says (RFC 6455 5.5.1).
std::string close_text(const TappedFrame& frame) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(frame.bytes[i]); };
  return fmt::format("{} {}", byte(0) * 256 + byte(1), printable(frame.bytes.substr(2)));
}

}  // namespace

TappedFrame tapped_frame(const observe::JsonValue& event) {
  TappedFrame frame;
  frame.at_us = static_cast<std::int64_t>(event.number_of("at") * 1000 + 0.5);
  frame.from_client = event.string_of("from") == "client";
  frame.type = printable(event.string_of("type"));
  frame.opcode = static_cast<std::uint8_t>(static_cast<unsigned>(event.number_of("opcode")) & 0xf);
  frame.fin = event.flag_of("fin");
  frame.masked = event.flag_of("masked");
  frame.rsv = static_cast<std::uint8_t>(static_cast<unsigned>(event.number_of("rsv")) & 7);
  frame.length = static_cast<std::uint64_t>(event.number_of("length"));
  frame.bytes = unhex(event.string_of("bytes"));
  frame.withheld = event.flag_of("withheld");
  return frame;
}

std::string frame_line(const TappedFrame& frame) {
  const std::int64_t us = frame.at_us % kDay;
  std::string out = fmt::format("{:02}:{:02}:{:02}.{:06} {} {:<12} {} {:>8}", us / (3600 * kSecond),
                                us / (60 * kSecond) % 60, us / kSecond % 60, us % kSecond,
                                frame.from_client ? "client  >" : "backend <", frame.type,
                                frame.fin ? "fin" : "   ", frame.length);
  if (frame.rsv != 0) out += fmt::format("  rsv {}", frame.rsv);
  if (frame.withheld) return out + "  (withheld: compressed, or part of a message)";
  if (frame.bytes.empty()) return out;
  if (frame.type == "close" && frame.bytes.size() >= 2) return out + "  " + close_text(frame);
  return out + "  " + quoted(frame);
}

std::string event_line(std::string_view name, std::string_view data) {
  if (name == "dropped" || name == "lost")
    return fmt::format("({} frames not shown: too many for the tap)", printable(data));
  const auto event = observe::parse_json(data);
  if (!event) return "";
  if (name == "frame") return frame_line(tapped_frame(*event));
  if (name == "end") return "(the session ended: " + printable(event->string_of("reason")) + ")";
  if (name != "open") return "";
  return printable(fmt::format("session {}: {}{}, client {}, backend {} {}",
                               event->string_of("conn_id"), event->string_of("host"),
                               event->string_of("path"), event->string_of("client_ip"),
                               event->string_of("backend"), event->string_of("server")));
}

}  // namespace fairlead::remote
