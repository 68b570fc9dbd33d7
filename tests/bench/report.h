#pragma once
// What a load says to whoever runs it: moments as words, and in the end one line of JSON.

#include <string>
#include <string_view>

#include "tests/bench/histogram.h"

namespace fairlead::bench {

// "open", "warm" or "done" on a line of its own, at once.
void say(std::string_view moment);

class Report {
 public:
  explicit Report(std::string_view mode);
  Report& number(std::string_view name, double value);
  // Of nanoseconds.
  Report& histogram(std::string_view name, const Histogram& values);
  void print() const;

 private:
  Report& add(std::string_view name, const std::string& value);

  std::string text_;
};

}  // namespace fairlead::bench
