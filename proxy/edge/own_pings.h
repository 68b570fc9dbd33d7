#pragma once
// The payloads of the Pings that Fairlead sends to one peer by itself, so that their Pongs can be
// told from the application's (RFC 6455 5.5.3): pure, eight bytes for a session's side.

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace fairlead::edge {

// A payload is 48 random bits, drawn once for a peer and never shown to anybody else, and a number
// of 16 bits that counts the Pings. So each Pong to any Ping of ours is recognised, however late it
// comes and how many Pings went out meanwhile, and nothing has to be kept for it.
class OwnPings {
 public:
  using Payload = std::array<char, sizeof(std::uint64_t)>;

  enum class Pong : std::uint8_t {
    foreign,  // the application's: it passes
    late,     // to a Ping of ours before the last one
    last,     // to the last Ping of ours
  };

  // The next Ping's payload. `random` is only used for the first one.
  Payload next(std::uint64_t random) {
    // The random part is never 0, which says that no Ping was sent yet.
    if (last_ == 0) {
      last_ = random | std::uint64_t{1} << kNumberBits;
    } else {
      last_ = (last_ & ~kNumber) | ((last_ + 1) & kNumber);
    }
    Payload payload{};
    std::memcpy(payload.data(), &last_, payload.size());
    return payload;
  }

  // `payload` is a Pong's, unmasked.
  Pong classify(std::span<const char> payload) const {
    std::uint64_t value = 0;
    if (last_ == 0 || payload.size() != sizeof value) return Pong::foreign;
    std::memcpy(&value, payload.data(), sizeof value);
    if (value == last_) return Pong::last;
    return (value & ~kNumber) == (last_ & ~kNumber) ? Pong::late : Pong::foreign;
  }

  // Whether a Ping was sent: else no Pong has to be looked at.
  bool any() const { return last_ != 0; }

 private:
  static constexpr unsigned kNumberBits = 16;
  static constexpr std::uint64_t kNumber = (std::uint64_t{1} << kNumberBits) - 1;

  std::uint64_t last_ = 0;  // of the last Ping; 0: there was none
};

}  // namespace fairlead::edge
