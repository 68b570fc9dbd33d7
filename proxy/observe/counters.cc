#include "proxy/observe/counters.h"

#include <cassert>
#include <numeric>

namespace fairlead::observe {

std::uint64_t HistogramSum::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::optional<double> HistogramSum::quantile(double q) const {
  const std::uint64_t all = total();
  if (all == 0) return std::nullopt;
  const double rank = q * static_cast<double>(all);
  double below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here != 0 && below + here >= rank) {
      const double from = i == 0 ? 0 : bounds[i - 1];
      return from + (bounds[i] - from) * (rank - below) / here;
    }
    below += here;
  }
  return bounds.back();  // beyond it nothing is known
}

ValueTable::ValueTable(std::span<const std::uint16_t> known) {
  assert(known.size() < kSlots);
  for (std::size_t i = 0; i < known.size(); ++i) values_[i].store(known[i] + 1U);
}

std::size_t ValueTable::slot(std::uint16_t value) {
  const std::uint32_t wanted = value + 1U;
  for (std::size_t i = 0; i < kSlots; ++i) {
    std::uint32_t there = values_[i].load(std::memory_order_relaxed);
    if (there == 0) {
      const bool taken =
          values_[i].compare_exchange_strong(there, wanted, std::memory_order_relaxed);
      if (taken) return i;
    }
    if (there == wanted) return i;
  }
  return kOther;
}

std::optional<std::uint16_t> ValueTable::value(std::size_t slot) const {
  const std::uint32_t there = slot < kSlots ? values_[slot].load(std::memory_order_relaxed) : 0;
  if (there == 0) return std::nullopt;
  return static_cast<std::uint16_t>(there - 1);
}

std::string value_word(const ValueTable& table, std::size_t slot) {
  if (slot == ValueTable::kOther) return "other";
  const std::uint16_t value = table.value(slot).value_or(0);
  return value == 0 ? "none" : std::to_string(value);
}

}  // namespace fairlead::observe
