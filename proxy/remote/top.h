#pragma once
// `fairlead top`: the dashboard for a terminal.

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/observe/json_value.h"
#include "proxy/remote/commands.h"

namespace fairlead::remote {

// A moment's totals out of /metrics; nothing where this Fairlead does not count them.
struct Totals {
  std::optional<double> messages_in;
  std::optional<double> messages_out;
  std::optional<double> bytes_in;
  std::optional<double> bytes_out;
  std::optional<double> handshakes;
  std::optional<double> requests;
  std::optional<double> refused;
  std::optional<double> closes;
};

// A label and its value.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// The family's samples added up, of those alone that have all the labels; nothing where there is
// none.
std::optional<double> metric_sum(std::string_view text, std::string_view family,
                                 Labels labels = {});
Totals read_totals(std::string_view metrics);

// What one screen is made of.
struct TopView {
  observe::JsonValue status;
  observe::JsonValue backends;
  Totals now;
  std::optional<Totals> before;  // nothing: no rates yet
  double seconds = 0;            // between the two
};

// The screen's lines, `rows` at most, each of at most `columns` characters.
std::vector<std::string> top_lines(const TopView& view, std::size_t rows, std::size_t columns);

// Redraws each second until q, ^C or the end of the input; once, where this is no terminal.
int top(const Target& target);

}  // namespace fairlead::remote
