#pragma once
// The strings a session must still know when its closing line is written, in one allocation.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace fairlead::observe {

class LogText {
 public:
  enum Item : std::uint8_t { request_id, host, path, origin, subprotocol, extensions, sni, kItems };

  using Items = std::array<std::string_view, kItems>;

  LogText() = default;
  // Copies them; each is cut at 2 KiB.
  explicit LogText(const Items& items);
  std::string_view get(Item item) const;

 private:
  std::unique_ptr<char[]> text_;  // kItems lengths of two bytes, then the strings
};

}  // namespace fairlead::observe
