#pragma once
// What counters are made of. Each is written by one thread and read by any: relaxed loads and
// stores, no locked instruction. Whoever reads several may see one of them a little ahead.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fairlead::observe {

class Counter {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Upper bounds of a histogram's buckets, in seconds.
inline constexpr std::array kLatencyBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                           0.1,    0.25,  0.5,    1.0,   2.5,  5.0,   10.0};
inline constexpr std::array kDurationBounds{1.0,    5.0,    15.0,    60.0,    300.0,
                                            1800.0, 3600.0, 14400.0, 43200.0, 86400.0};

template <const auto& Bounds>
class Histogram {
 public:
  void add(double seconds) {
    std::size_t bucket = 0;
    while (bucket != Bounds.size() && seconds > Bounds[bucket]) ++bucket;
    counts_[bucket].add();
    sum_.add(seconds > 0 ? static_cast<std::uint64_t>(seconds * 1e6) : 0);
  }

 private:
  friend struct HistogramSum;
  std::array<Counter, Bounds.size() + 1> counts_;  // the last one: beyond all bounds
  Counter sum_;                                    // microseconds
};

using Latencies = Histogram<kLatencyBounds>;
using Durations = Histogram<kDurationBounds>;

// Several histograms of the same bounds, added up.
struct HistogramSum {
  std::span<const double> bounds;
  std::vector<std::uint64_t> counts;  // one more than there are bounds
  double seconds = 0;

  template <const auto& Bounds>
  void add(const Histogram<Bounds>& one) {
    bounds = Bounds;
    counts.resize(Bounds.size() + 1);
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += one.counts_[i].value();
    seconds += static_cast<double>(one.sum_.value()) / 1e6;
  }

  std::uint64_t total() const;
  // The value below which the share `q` lies, taken as even within a bucket; nothing while empty.
  std::optional<double> quantile(double q) const;
};

// Small numbers as labels, such as close codes that peers choose: each gets a slot for good, and
// those that come when all slots are taken share the last one. Any thread.
class ValueTable {
 public:
  static constexpr std::size_t kSlots = 64;
  static constexpr std::size_t kOther = kSlots;  // the slot of all that found none

  // `known` have their slots from the start: nobody can take them away.
  explicit ValueTable(std::span<const std::uint16_t> known);

  std::size_t slot(std::uint16_t value);
  // Nothing: the slot is free.
  std::optional<std::uint16_t> value(std::size_t slot) const;

 private:
  std::array<std::atomic<std::uint32_t>, kSlots> values_{};  // 0: free, else the value plus one
};

// A slot's label: the value, "none" for 0, "other" for the slot that is shared.
std::string value_word(const ValueTable& table, std::size_t slot);

}  // namespace fairlead::observe
