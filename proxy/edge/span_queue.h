#pragma once
// The spans between the workers and the exporter: a bound on what waits, and counts of what became
// of them. Atomics alone: a worker never waits, it drops.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "conf/config.h"
#include "proxy/observe/trace_counts.h"

namespace fairlead::edge {

class SpanQueue {
 public:
  using Spans = std::vector<std::string>;

  // Before any worker begins: where batches go, called in the workers' threads.
  void deliver_to(std::function<void(Spans)> deliver) { deliver_ = std::move(deliver); }

  // Any thread. 0: tracing is off.
  void set_limit(std::uint32_t spans) { limit_.store(spans, std::memory_order_relaxed); }

  // Any thread: a place for a span of so many bytes. False: there is none, and it was counted.
  bool enter(std::size_t bytes) {
    const std::uint32_t limit = limit_.load(std::memory_order_relaxed);
    const bool room = spans_.fetch_add(1, std::memory_order_relaxed) < limit;
    if (room &&
        bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= conf::bounds::kSpanBytes) {
      return true;
    }
    if (room) bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    spans_.fetch_sub(1, std::memory_order_relaxed);
    lost(limit == 0 ? observe::SpanLoss::off : observe::SpanLoss::queue_full, 1);
    return false;
  }

  // Any thread: what has entered is on its way to the exporter.
  void deliver(Spans spans) {
    if (deliver_) deliver_(std::move(spans));
  }

  // They are sent or lost, and their places free.
  void leave(std::size_t spans, std::size_t bytes) {
    spans_.fetch_sub(static_cast<std::uint32_t>(spans), std::memory_order_relaxed);
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }

  void sent(std::uint64_t spans) { sent_.fetch_add(spans, std::memory_order_relaxed); }

  void lost(observe::SpanLoss why, std::uint64_t spans) {
    dropped_[static_cast<std::size_t>(why)].fetch_add(spans, std::memory_order_relaxed);
  }

  observe::TraceCounts counts() const {
    observe::TraceCounts counts{sent_.load(std::memory_order_relaxed), {}};
    for (std::size_t i = 0; i < dropped_.size(); ++i)
      counts.dropped[i] = dropped_[i].load(std::memory_order_relaxed);
    return counts;
  }

  std::uint32_t waiting() const { return spans_.load(std::memory_order_relaxed); }

 private:
  std::function<void(Spans)> deliver_;
  std::atomic<std::uint32_t> limit_{0};
  std::atomic<std::uint32_t> spans_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::uint64_t> sent_{0};
  std::array<std::atomic<std::uint64_t>, observe::kSpanLosses> dropped_{};
};

}  // namespace fairlead::edge
