#include "proxy/observe/trace_counts.h"

#include <fmt/format.h>

#include <iterator>

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
  fmt::format_to(std::back_inserter(out),
                 "# HELP fairlead_tracing_spans_total Spans the collector took.\n"
                 "# TYPE fairlead_tracing_spans_total counter\n"
                 "fairlead_tracing_spans_total {}\n"
                 "# HELP fairlead_tracing_dropped_total Spans that did not reach the collector.\n"
                 "# TYPE fairlead_tracing_dropped_total counter\n",
                 counts.sent);
  for (std::size_t i = 0; i < kSpanLosses; ++i) {
    fmt::format_to(std::back_inserter(out), "fairlead_tracing_dropped_total{{reason=\"{}\"}} {}\n",
                   word(static_cast<SpanLoss>(i)), counts.dropped[i]);
  }
}

}  // namespace fairlead::observe
