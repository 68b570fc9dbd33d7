#pragma once
// The little of Engine.IO (the transport under Socket.IO, protocol versions 3 and 4) that one has
// to understand to keep a polling session at its server: the session id, `sid`. The server makes it
// and gives it in the answer to the first poll; every further request of the session has it in its
// query, the upgrade to WebSocket included.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/wire/head.h"

namespace fairlead::wire {

constexpr std::size_t kSidBytes = 64;  // longest sid there is

// 1 to 64 letters, digits, '-' and '_': what all known servers make (base64url, a UUID).
bool is_sid(std::string_view text);

// A query's `sid`, or "" when it has none or what it has is no sid.
std::string_view sid_of(std::string_view query);

// Whether a request's answer gives a sid: a poll (EIO=3 or 4, transport=polling) that has none yet.
bool is_opening_poll(const RequestHead& head);

// Finds the sid in the first bytes of the answer to an opening poll:
//   0{"sid":"...",...       version 4
//   96:0{"sid":"...",...    version 3: the packet's length in front
//   \0 9 6 \xff 0{"sid"...  version 3, binary: the length's digits as bytes of that value
// White space as JSON has it is allowed. Reads kLook bytes and no further, wherever they are split.
class SidReader {
 public:
  enum class State : std::uint8_t { more, found, none };

  // `chunked`: the body comes with its chunked coding, which the caller checks elsewhere.
  explicit SidReader(bool chunked) : framing_(chunked ? Framing::size : Framing::off) {}

  // The next bytes of the body. After found or none it takes no notice of them.
  State feed(std::string_view bytes);

  State state() const { return state_; }

  std::string_view sid() const { return {sid_.data(), size_}; }  // while found

 private:
  static constexpr std::size_t kLook = 256;

  enum class Framing : std::uint8_t { off, size, size_rest, data, data_end };
  enum class Step : std::uint8_t {
    start,
    length,
    binary_length,
    packet,
    brace,
    key_quote,
    key,
    colon,
    value_quote,
    value,
  };

  bool is_payload(char c);
  void step(char c);
  void begin(char c);
  void step_key(char c);
  void step_value(char c);
  void expect(char c, char wanted, Step next);

  State state_ = State::more;
  Framing framing_;
  Step step_ = Step::start;
  std::uint16_t seen_ = 0;   // bytes looked at
  std::uint32_t chunk_ = 0;  // payload bytes left of the chunk
  std::uint8_t key_ = 0;     // characters of "sid" matched
  std::uint8_t size_ = 0;
  std::array<char, kSidBytes> sid_{};
};

}  // namespace fairlead::wire
