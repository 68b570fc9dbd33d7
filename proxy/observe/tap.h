#pragma once
// A session's frames for somebody who looks at it: what is told of each, and what is hidden.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::observe {

constexpr std::size_t kTapBytes = 256;  // of a payload, at most
constexpr double kTapRate = 1000;       // frames a second told of a session; more are counted

struct TapFrame {
  std::int64_t at_us = 0;  // since 1970
  bool from_client = false;
  bool fin = false;
  bool masked = false;
  std::uint8_t rsv = 0;
  std::uint8_t opcode = 0;
  std::uint64_t length = 0;
  std::string bytes;  // of the payload, unmasked
};

// What nobody is to see. A pattern is looked for as it stands, but for the case of ASCII letters:
// "token=*&" hides from behind "token=" up to the next "&", or all that follows; a pattern without
// a star is hidden itself. Linear in the text, whatever is in it.
class Redaction {
 public:
  explicit Redaction(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

  // Puts an asterisk in the place of each byte.
  void hide(std::string& text) const;

  // Whether the bytes of a frame have to be withheld altogether: patterns cannot be found in what
  // is compressed, nor where a message was cut in two.
  bool withholds(const TapFrame& frame) const {
    return !patterns_.empty() && (frame.rsv != 0 || frame.opcode == 0);
  }

 private:
  void hide_one(std::string_view pattern, std::string& text) const;

  std::vector<std::string> patterns_;
};

// {"at":1732190400123.456,"from":"client","type":"text","fin":true,...,"bytes":"68656c6c6f"}: one
// line, the bytes in hexadecimal digits; left out unless `with_bytes`.
std::string tap_json(TapFrame frame, bool with_bytes, const Redaction& redaction);

// "text", "ping"; "0x3" for one that has no name.
std::string opcode_word(std::uint8_t opcode);

}  // namespace fairlead::observe
