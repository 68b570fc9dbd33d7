#include "proxy/observe/exposition.h"

#include <fmt/format.h>

#include <iterator>

namespace fairlead::observe {
namespace {

std::string_view word(Family::Type type) {
  switch (type) {
    case Family::Type::counter:
      return "counter";
    case Family::Type::gauge:
      return "gauge";
    case Family::Type::histogram:
      break;
  }
  return "histogram";
}

void append_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

}  // namespace

std::string labels(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += ',';
    out.append(name).append("=\"");
    append_escaped(value, out);
    out += '"';
  }
  return out;
}

Family::Family(std::string& out, Type type, std::string_view name, std::string_view help)
    : out_(out), name_("fairlead_" + std::string(name)) {
  fmt::format_to(std::back_inserter(out_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name_, help,
                 word(type));
}

void Family::line(std::string_view suffix, std::string_view labels, std::string_view value) {
  out_.append(name_).append(suffix);
  if (!labels.empty()) out_.append("{").append(labels).append("}");
  out_.append(" ").append(value).append("\n");
}

void Family::value(std::string_view labels, std::uint64_t value) {
  line("", labels, fmt::to_string(value));
}

void Family::value(std::string_view labels, const HistogramSum& sum) {
  const std::string before = labels.empty() ? "" : std::string(labels) + ",";
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < sum.counts.size(); ++i) {
    below += sum.counts[i];
    const std::string bound = i < sum.bounds.size() ? fmt::format("{}", sum.bounds[i]) : "+Inf";
    line("_bucket", before + "le=\"" + bound + "\"", fmt::to_string(below));
  }
  line("_sum", labels, fmt::format("{:.6f}", sum.seconds));
  line("_count", labels, fmt::to_string(below));
}

}  // namespace fairlead::observe
