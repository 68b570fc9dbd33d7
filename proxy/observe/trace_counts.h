#pragma once
// What became of the spans since the start; the part of /metrics that says so.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::observe {

// Why a span did not reach the collector.
enum class SpanLoss : std::uint8_t {
  queue_full,   // more come than go
  unreachable,  // the collector could not be reached, did not answer in time or not in HTTP
  rejected,     // it answered that it will never take them
  off,          // tracing was switched off meanwhile
  stopped,      // the process ended before it took them
};

inline constexpr std::size_t kSpanLosses = static_cast<std::size_t>(SpanLoss::stopped) + 1;

struct TraceCounts {
  std::uint64_t sent = 0;
  std::array<std::uint64_t, kSpanLosses> dropped{};
};

std::string_view word(SpanLoss loss);

// Appends fairlead_tracing_spans_total and fairlead_tracing_dropped_total{reason}.
void append_metrics(const TraceCounts& counts, std::string& out);

}  // namespace fairlead::observe
