#pragma once
// The ids of a worker's connections, `conn_id` in the log: the process's tag (24 bits), the
// worker's number (8 bits), a count (32 bits). When the count has been used up it begins anew under
// the next tag, and the worker's number stays what it is: no worker gives an id twice in 2^56
// connections. Not thread-safe: one per worker.

#include <cstdint>

namespace fairlead::edge {

class ConnIds {
 public:
  ConnIds() = default;

  // `tag`: of the process, its upper 8 bits are not used. `worker`: less than 256. `count`: the
  // first one's.
  ConnIds(std::uint32_t tag, unsigned worker, std::uint32_t count = 1)
      : tag_(tag & kTags), worker_(worker & kWorkers), count_(count) {}

  // Never 0.
  std::uint64_t next() {
    const std::uint64_t id =
        (std::uint64_t{tag_} << 40) | (std::uint64_t{worker_} << 32) | std::uint64_t{count_};
    if (++count_ == 0) {
      tag_ = (tag_ + 1) & kTags;
      count_ = 1;
    }
    return id;
  }

  // The number of the worker that gave `id`.
  static unsigned worker_of(std::uint64_t id) { return static_cast<unsigned>(id >> 32) & kWorkers; }

 private:
  static constexpr std::uint32_t kTags = 0xffffff;
  static constexpr std::uint32_t kWorkers = 0xff;

  std::uint32_t tag_ = 0;
  std::uint32_t worker_ = 0;
  std::uint32_t count_ = 1;
};

}  // namespace fairlead::edge
