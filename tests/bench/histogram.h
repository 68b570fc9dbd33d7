#pragma once
// A log-linear histogram of latencies: exact below 128, within 1/128 above, whatever the range.

#include <cstdint>
#include <string>
#include <vector>

namespace fairlead::bench {

class Histogram {
 public:
  void add(std::uint64_t value);
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }

  std::uint64_t max() const { return max_; }

  // The least value that `part` (0 to 1) of all are not above, rounded up to its bucket's end but
  // never above max(). 0 when empty.
  std::uint64_t quantile(double part) const;

  // "[[END,COUNT],...]": the buckets that are not empty, for JSON.
  std::string buckets() const;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace fairlead::bench
