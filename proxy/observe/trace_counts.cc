#include "proxy/observe/trace_counts.h"

#include "proxy/observe/exposition.h"

namespace fairlead::observe {

std::string_view word(SpanLoss loss) {
  switch (loss) {
    case SpanLoss::queue_full:
      return "queue_full";
    case SpanLoss::unreachable:
      return "unreachable";
    case SpanLoss::rejected:
      return "rejected";
    case SpanLoss::off:
      return "off";
    case SpanLoss::stopped:
      break;
  }
  return "stopped";
}

void append_metrics(const TraceCounts& counts, std::string& out) {
  constexpr auto kCounter = Family::Type::counter;
  Family(out, kCounter, "tracing_spans_total", "Spans the collector took.").value(counts.sent);
  Family dropped(out, kCounter, "tracing_dropped_total", "Spans that did not reach the collector.");
  for (std::size_t i = 0; i < kSpanLosses; ++i)
    dropped.value(labels({{"reason", word(static_cast<SpanLoss>(i))}}), counts.dropped[i]);
}

}  // namespace fairlead::observe
