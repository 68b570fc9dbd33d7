#include "conf/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <utility>

namespace fairlead::conf {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 4> kDurations{
    {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizes{
    {{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};
constexpr std::array<Unit, 3> kPeriods{{{"s", 1}, {"m", 60}, {"h", 3600}}};

// All results fit into a signed 64-bit number, so that milliseconds and file offsets can hold them.
constexpr std::uint64_t kMost = (1ULL << 62);

std::optional<std::uint64_t> parse_digits(std::string_view text) {
  std::uint64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (text.empty() || error != std::errc{} || end != last || value > kMost) return std::nullopt;
  return value;
}

template <std::size_t N>
const Unit* find_unit(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

template <std::size_t N>
std::optional<std::uint64_t> parse_with(const std::array<Unit, N>& units, std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto value = parse_digits(text.substr(0, digits));
  const Unit* unit = find_unit(units, text.substr(digits));
  if (!value || unit == nullptr || *value > kMost / unit->factor) return std::nullopt;
  return *value * unit->factor;
}

// In the largest unit that divides it.
template <std::size_t N>
std::string text_with(const std::array<Unit, N>& units, std::uint64_t value) {
  for (const Unit& unit : units) {
    if (value >= unit.factor && value % unit.factor == 0) {
      return std::to_string(value / unit.factor) + std::string(unit.name);
    }
  }
  return "0" + std::string(units.back().name);
}

}  // namespace

std::optional<Millis> parse_duration(std::string_view text) {
  std::uint64_t sum = 0;
  std::uint64_t last = UINT64_MAX;  // the factor of the unit before
  do {
    const std::size_t unit_at = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::size_t end = std::min(text.find_first_of("0123456789", unit_at), text.size());
    const auto value = parse_with(kDurations, text.substr(0, end));
    const Unit* unit = find_unit(kDurations, text.substr(unit_at, end - unit_at));
    if (!value || unit->factor >= last || *value > kMost - sum) return std::nullopt;
    sum += *value;
    last = unit->factor;
    text.remove_prefix(end);
  } while (!text.empty());
  return Millis{static_cast<Millis::rep>(sum)};
}

std::string duration_text(Millis value) {
  if (value == Millis{0}) return "0s";
  // A minute or so is said in seconds: "60s", "90s".
  if (value < Millis{120'000} && value % Millis{1'000} == Millis{0}) {
    return std::to_string(value / Millis{1'000}) + "s";
  }
  return text_with(kDurations, static_cast<std::uint64_t>(value.count()));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (const auto plain = parse_digits(text)) return plain;
  return parse_with(kSizes, text);
}

std::string size_text(std::uint64_t value) {
  return text_with(kSizes, value);
}

std::optional<Rate> parse_rate(std::string_view text, RateOf of) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view amount = text.substr(0, slash);
  const auto value = of == RateOf::bytes ? parse_size(amount) : parse_digits(amount);
  const Unit* period = find_unit(kPeriods, text.substr(slash + 1));
  if (!value || *value == 0 || period == nullptr) return std::nullopt;
  const double per_second = static_cast<double>(*value) / static_cast<double>(period->factor);
  return Rate{per_second, std::max(1.0, per_second)};
}

std::string rate_text(const Rate& value, RateOf of) {
  for (const Unit& period : kPeriods) {
    const double amount = value.per_second * static_cast<double>(period.factor);
    const double whole = std::round(amount);
    if (std::abs(amount - whole) > 1e-6 && &period != &kPeriods.back()) continue;
    const auto count = static_cast<std::uint64_t>(whole);
    const std::string text = of == RateOf::bytes ? size_text(count) : std::to_string(count);
    return text + "/" + std::string(period.name);
  }
  return "";
}

}  // namespace fairlead::conf
