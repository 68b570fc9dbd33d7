#include "tests/bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fairlead::bench {
namespace {

constexpr unsigned kBits = 7;  // 128 buckets for each doubling
constexpr std::uint64_t kLinear = 1U << kBits;

std::size_t index_of(std::uint64_t value) {
  if (value < kLinear) return static_cast<std::size_t>(value);
  unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kBits - 1;
  return static_cast<std::size_t>(shift * kLinear + (value >> shift));
}

// The greatest value of a bucket.
std::uint64_t end_of(std::size_t index) {
  if (index < 2 * kLinear) return index;
  std::uint64_t shift = index / kLinear - 1;
  std::uint64_t next = index - shift * kLinear + 1;
  return (next << shift) - 1;
}

}  // namespace

void Histogram::add(std::uint64_t value) {
  std::size_t index = index_of(value);
  if (index >= counts_.size()) counts_.resize(index + 1);
  ++counts_[index];
  ++count_;
  max_ = std::max(max_, value);
}

void Histogram::merge(const Histogram& other) {
  if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::quantile(double part) const {
  auto rank = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen > 0 && seen >= rank) return std::min(end_of(i), max_);
  }
  return max_;
}

std::string Histogram::buckets() const {
  std::string out;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    out += (out.empty() ? "[" : ",[") + std::to_string(std::min(end_of(i), max_)) + "," +
           std::to_string(counts_[i]) + "]";
  }
  return "[" + out + "]";
}

}  // namespace fairlead::bench
