#include "proxy/observe/tap.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "proxy/wire/frame.h"

namespace fairlead::observe {
namespace {

char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t find_folded(std::string_view text, std::string_view what, std::size_t from) {
  const auto found =
      std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), what.begin(),
                  what.end(), [](char a, char b) { return folded(a) == folded(b); });
  return static_cast<std::size_t>(found - text.begin());
}

}  // namespace

void Redaction::hide(std::string& text) const {
  for (const std::string& pattern : patterns_) hide_one(pattern, text);
}

void Redaction::hide_one(std::string_view pattern, std::string& text) const {
  const std::size_t star = pattern.find('*');
  const std::string_view before = pattern.substr(0, star);
  const std::string_view after =
      star == std::string_view::npos ? std::string_view() : pattern.substr(star + 1);
  std::size_t at = 0;
  for (;;) {
    at = find_folded(text, before, at);
    if (at == text.size()) return;
    std::size_t begin = at;
    std::size_t end = at + before.size();
    if (star != std::string_view::npos) {
      begin = end;
      end = after.empty() ? text.size() : find_folded(text, after, begin);
    }
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(begin),
              text.begin() + static_cast<std::ptrdiff_t>(end), '*');
    at = end;
  }
}

std::string opcode_word(std::uint8_t opcode) {
  using wire::Opcode;
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::continuation:
      return "continuation";
    case Opcode::text:
      return "text";
    case Opcode::binary:
      return "binary";
    case Opcode::close:
      return "close";
    case Opcode::ping:
      return "ping";
    case Opcode::pong:
      return "pong";
  }
  return fmt::format("{:#x}", opcode);
}

std::string tap_json(TapFrame frame, bool with_bytes, const Redaction& redaction) {
  std::string out;
  fmt::format_to(std::back_inserter(out),
                 R"({{"at":{}.{:03},"from":"{}","type":"{}","opcode":{},"fin":{},"rsv":{},)"
                 R"("masked":{},"length":{})",
                 frame.at_us / 1000, frame.at_us % 1000, frame.from_client ? "client" : "backend",
                 opcode_word(frame.opcode), frame.opcode, frame.fin, frame.rsv, frame.masked,
                 frame.length);
  if (with_bytes && redaction.withholds(frame)) {
    out += R"(,"withheld":true)";
  } else if (with_bytes) {
    redaction.hide(frame.bytes);
    out += R"(,"bytes":")";
    for (const char c : frame.bytes)
      fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
    out += '"';
  }
  out += '}';
  return out;
}

}  // namespace fairlead::observe
