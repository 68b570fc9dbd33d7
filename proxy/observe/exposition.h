#pragma once
// Prometheus' text format 0.0.4: one family of samples after the other.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/observe/counters.h"

namespace fairlead::observe {

// name="value",name="value": backslash, quote and line feed are escaped.
std::string labels(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs);

// A family's lines stand together, behind its HELP and TYPE.
class Family {
 public:
  enum class Type : std::uint8_t { counter, gauge, histogram };

  // `name` without "fairlead_".
  Family(std::string& out, Type type, std::string_view name, std::string_view help);

  void value(std::uint64_t value) { this->value("", value); }

  void value(std::string_view labels, std::uint64_t value);
  // One series of a histogram: buckets, sum and count.
  void value(std::string_view labels, const HistogramSum& sum);

 private:
  void line(std::string_view suffix, std::string_view labels, std::string_view value);

  std::string& out_;
  std::string name_;
};

}  // namespace fairlead::observe
