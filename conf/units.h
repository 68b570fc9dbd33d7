#pragma once
// Numbers with units: "30s", "64KiB", "50/s". Each parse gives nothing on bad text; each text()
// gives the shortest form that parses to the same value.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conf/config.h"

namespace fairlead::conf {

// Digits and one of h, m, s, ms, or several such parts from the largest unit to the smallest, each
// once: "90s", "1m30s". No fraction, no blanks.
std::optional<Millis> parse_duration(std::string_view text);
std::string duration_text(Millis value);

// Digits and nothing, B, KiB, MiB or GiB.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string size_text(std::uint64_t value);

enum class RateOf { events, bytes };

// A count ("50") or a size ("1MiB"), and "/s", "/m" or "/h". The burst is one second's worth, at
// least one.
std::optional<Rate> parse_rate(std::string_view text, RateOf of);
std::string rate_text(const Rate& value, RateOf of);  // its rate alone

}  // namespace fairlead::conf
