#pragma once
// What checks in a row say about a server: `rise` good ones bring it up, `fall` failed ones take it
// down. The very first check is believed at once: whoever starts in front of a dead server should
// know it after one check.

#include <cstdint>

namespace fairlead::balance {

class RiseFall {
 public:
  // rise and fall are 1 or more. `checked`: there was a check before this object, and `up` is what
  // came of it.
  RiseFall(std::uint32_t rise, std::uint32_t fall, bool up, bool checked)
      : rise_(rise), fall_(fall), up_(up), checked_(checked) {}

  // Takes one check's outcome; true if the state changed by it.
  bool passed() { return note(true, rise_); }

  bool failed() { return note(false, fall_); }

  bool up() const { return up_; }

  // Outcomes in a row that spoke against the present state.
  std::uint32_t against() const { return against_; }

 private:
  bool note(bool good, std::uint32_t needed);

  std::uint32_t rise_;
  std::uint32_t fall_;
  std::uint32_t against_ = 0;
  bool up_;
  bool checked_;
};

}  // namespace fairlead::balance
