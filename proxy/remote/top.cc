#include "proxy/remote/top.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "proxy/remote/tables.h"

namespace fairlead::remote {
namespace {

using observe::JsonValue;

// `label="value"`, with others between commas.
bool has_label(std::string_view all, std::string_view label, std::string_view value) {
  const std::size_t at = all.find(fmt::format("{}=\"{}\"", label, value));
  return at != std::string_view::npos && (at == 0 || all[at - 1] == ',');
}

// `name{label="value",...} 12` of a family, its number; nothing if the line is another's.
std::optional<double> sample(std::string_view line, std::string_view family, Labels wanted) {
  if (!line.starts_with(family)) return std::nullopt;
  line.remove_prefix(family.size());
  std::string_view labels;
  if (line.starts_with('{')) {
    const std::size_t end = line.rfind('}');
    if (end == std::string_view::npos) return std::nullopt;
    labels = line.substr(1, end - 1);
    line.remove_prefix(end + 1);
  }
  if (!line.starts_with(' ')) return std::nullopt;
  for (const auto& [label, value] : wanted) {
    if (!has_label(labels, label, value)) return std::nullopt;
  }
  return std::strtod(std::string(line).c_str(), nullptr);
}

std::string amount(double value) {
  if (value < 0) value = 0;  // it was restarted
  if (value < 10'000) return fmt::format("{:.0f}", value);
  if (value < 10'000'000) return fmt::format("{:.0f}k", value / 1000);
  return fmt::format("{:.0f}M", value / 1'000'000);
}

std::string size(double value) {
  if (value < 0) value = 0;
  constexpr std::array<std::string_view, 4> kUnits{"B", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  for (; value >= 10'000 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.0f} {}", value, kUnits[unit]);
}

// Per second; "-" where it is not counted, or not yet.
template <class Show>
std::string rate(const TopView& view, std::optional<double> Totals::*which, Show show) {
  if (!view.before || view.seconds <= 0) return "-";
  const auto before = (*view.before).*which;
  const auto now = view.now.*which;
  return before && now ? show((*now - *before) / view.seconds) : "-";
}

std::string first_line(const JsonValue& status) {
  return fmt::format("fairlead {}  process {:.0f}  {}  up {}", status.string_of("version"),
                     status.number_of("pid"), status.flag_of("draining") ? "DRAINING" : "serving",
                     duration_text(status.number_of("uptime_s")));
}

std::string reload_line(const JsonValue& status) {
  const JsonValue* last = status.find("last_reload");
  if (last == nullptr || last->kind != JsonValue::Kind::object) return "last reload   none yet";
  return (last->flag_of("ok") ? "last reload   ok at " : "last reload   FAILED at ") +
         last->string_of("at");
}

std::string load_table(const TopView& view) {
  const auto count = [&](std::optional<double> Totals::*which) {
    return rate(view, which, amount) + "/s";
  };
  const auto bytes = [&](std::optional<double> Totals::*which) {
    return rate(view, which, size) + "/s";
  };
  return table({{"", "IN", "OUT", "", "", ""},
                {"messages", count(&Totals::messages_in), count(&Totals::messages_out), "",
                 "handshakes", count(&Totals::handshakes)},
                {"payload", bytes(&Totals::bytes_in), bytes(&Totals::bytes_out), "", "requests",
                 count(&Totals::requests)},
                {"", "", "", "", "refused", count(&Totals::refused)},
                {"", "", "", "", "closes", count(&Totals::closes)}});
}

void append_lines(std::string_view text, std::vector<std::string>& lines) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// At a character's beginning: what follows the columns is not shown.
std::string cut(const std::string& line, std::size_t columns) {
  std::size_t shown = 0;
  std::size_t at = 0;
  for (; at < line.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(line[at]) & 0xc0) != 0x80;
    if (begins && ++shown > columns) break;
  }
  return line.substr(0, at);
}

}  // namespace

std::optional<double> metric_sum(std::string_view text, std::string_view family, Labels labels) {
  std::optional<double> sum;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto one = sample(text.substr(0, end), family, labels);
    if (one) sum = sum.value_or(0) + *one;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return sum;
}

Totals read_totals(std::string_view metrics) {
  const auto sum = [&](std::string_view family, Labels labels = {}) {
    return metric_sum(metrics, family, labels);
  };
  // The other opcodes count frames.
  const auto messages = [&](std::string_view direction) {
    const auto of = [&](std::string_view opcode) {
      return sum("fairlead_messages_total", {{"direction", direction}, {"opcode", opcode}});
    };
    const auto texts = of("text");
    const auto binaries = of("binary");
    return texts && binaries ? std::optional(*texts + *binaries) : std::nullopt;
  };
  Totals totals;
  totals.messages_in = messages("in");
  totals.messages_out = messages("out");
  totals.bytes_in = sum("fairlead_bytes_total", {{"direction", "in"}});
  totals.bytes_out = sum("fairlead_bytes_total", {{"direction", "out"}});
  totals.handshakes = sum("fairlead_sessions_total");
  totals.requests = sum("fairlead_http_requests_total");
  totals.refused = sum("fairlead_refused_total");
  totals.closes = sum("fairlead_close_total");
  return totals;
}

std::vector<std::string> top_lines(const TopView& view, std::size_t rows, std::size_t columns) {
  const JsonValue& status = view.status;
  std::vector<std::string> lines;
  lines.push_back(first_line(status));
  std::string workers;
  for (const JsonValue& worker : status.items_of("workers"))
    workers += fmt::format(" {:.0f}", worker.number_of("connections"));
  lines.push_back(fmt::format("connections   {:.0f} of {:.0f}, per worker{}",
                              status.number_of("connections"), status.number_of("max_connections"),
                              workers));
  lines.push_back(fmt::format("sessions      {:.0f}", status.number_of("sessions")));
  lines.push_back(reload_line(status));
  lines.emplace_back();
  append_lines(load_table(view), lines);
  lines.emplace_back();
  append_lines(backends_text(view.backends), lines);
  if (lines.size() > rows && rows > 0) {
    const std::size_t hidden = lines.size() - (rows - 1);
    lines.resize(rows - 1);
    lines.push_back(fmt::format("... and {} lines more: fairlead backends", hidden));
  }
  for (std::string& line : lines) line = cut(printable(line), columns);
  return lines;
}

}  // namespace fairlead::remote
